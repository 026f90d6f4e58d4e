package sluice.formats.toc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.core.Placement;

class TocBuilderTest {

  private static final long PAYLOAD_END = (128L << 20) + 50;
  private static final Digest DIGEST = Digest.sha256(new byte[] {1});
  private static final ChunkEncoding ENCODING = new ChunkEncoding.GzipMember();

  private static TocBuilder build(String... entries) throws IOException {
    TocBuilder builder = new TocBuilder(ENCODING, PAYLOAD_END, bytes -> {}, "layer x");
    String json = "{\"version\":1,\"entries\":[" + String.join(",", entries) + "]}";
    TocParser.parse(new ByteArrayInputStream(json.getBytes(UTF_8)), "layer x", builder);
    builder.finish();
    return builder;
  }

  private static List<Chunk> chunks(TocBuilder built) {
    List<Chunk> chunks = new ArrayList<>();
    built.chunks().forEach(chunks::add);
    return chunks;
  }

  /** An entry of a file, with more fields or other values behind. */
  private static String file(String name, long size, long offset, String... more) {
    return "{\"name\":\"%s\",\"type\":\"reg\",\"size\":%d,\"offset\":%d,\"digest\":\"%s\"%s}"
        .formatted(name, size, offset, DIGEST, fields(more));
  }

  private static String piece(long fileOffset, long size, long offset, String... more) {
    return "{\"type\":\"chunk\",\"chunkOffset\":%d,\"chunkSize\":%d,\"offset\":%d,\"chunkDigest\":\"%s\"%s}"
        .formatted(fileOffset, size, offset, DIGEST, fields(more));
  }

  private static String fields(String... more) {
    return more.length == 0 ? "" : "," + String.join(",", more);
  }

  private static String first(long size) {
    return "\"chunkSize\":%d,\"chunkDigest\":\"%s\"".formatted(size, DIGEST);
  }

  private static Chunk chunk(long from, long to, long decoded, Placement... placements) {
    return new Chunk(new ByteRange(from, to - from), ENCODING, decoded, null, List.of(placements));
  }

  @Test
  void build_filesWithMembersOfTheirOwn() throws Exception {
    TocBuilder built = build(file("a", 5, 100), file("b", 4096, 200), file("c", 1, 300));
    assertThat(chunks(built))
        .containsExactly(
            chunk(100, 200, 5, new Placement(0, 5, 0, DIGEST)),
            chunk(200, 300, 4096, new Placement(0, 4096, 4096, DIGEST)),
            chunk(300, PAYLOAD_END, 1, new Placement(0, 1, 8192, DIGEST)));
    assertThat(built.deviceBytes()).isEqualTo(12_288);
  }

  @Test
  void build_filesThatShareAMember() throws Exception {
    TocBuilder built =
        build(
            file("a", 5, 100),
            file("b", 7, 100, "\"innerOffset\":1024"),
            file("c", 3000, 100, "\"innerOffset\":2048", first(1000)),
            piece(1000, 0, 900));
    assertThat(chunks(built))
        .containsExactly(
            chunk(
                100,
                900,
                3048,
                new Placement(0, 5, 0, DIGEST),
                new Placement(1024, 7, 4096, DIGEST),
                new Placement(2048, 1000, 8192, DIGEST)),
            chunk(900, PAYLOAD_END, 2000, new Placement(0, 2000, 9192, DIGEST)));
  }

  @Test
  void build_podmansChunks_endWhereTheNextBeginsOrTheFileEnds() throws Exception {
    TocBuilder built =
        build(
            file("a", 100, 50, "\"endOffset\":90", first(60)),
            piece(60, 30, 70, "\"chunkType\":\"zeros\""),
            piece(90, 10, 80),
            file("b", 10, 500, "\"endOffset\":510"));
    assertThat(chunks(built))
        .containsExactly(
            chunk(50, 70, 60, new Placement(0, 60, 0, DIGEST)),
            chunk(80, 90, 10, new Placement(0, 10, 90, DIGEST)),
            chunk(500, 510, 10, new Placement(0, 10, 4096, DIGEST)));
  }

  @Test
  void build_filesOfZerosAlone_needNoRoom() throws Exception {
    TocBuilder built =
        build(file("a", 1L << 43, 50, "\"endOffset\":90", "\"chunkType\":\"zeros\""));
    assertThat(built.chunks().isEmpty()).isTrue();
    assertThat(built.deviceBytes()).isZero();
  }

  @Test
  void build_landmark_endsWhatIsFetchedFirstAndNeedsNoRoom() throws Exception {
    TocBuilder built =
        build(file("a", 5000, 100), file("./.prefetch.landmark", 1, 200), file("b", 1, 300));
    assertThat(built.prefetch()).containsExactly(new ByteRange(0, 8192));
    assertThat(chunks(built)).hasSize(2);
    assertThat(chunks(built).getFirst().encoded()).isEqualTo(new ByteRange(100, 100));
    assertThat(build(file(".no.prefetch.landmark", 1, 100), file("b", 1, 300)).prefetch())
        .isEmpty();
  }

  @Test
  void build_podmansFilesOfThoseNames_areTheImagesOwn() throws Exception {
    TocBuilder built = build(file("stargz.index.json", 5, 100, "\"endOffset\":110"));
    assertThat(chunks(built)).hasSize(1);
  }

  @Test
  void build_directoryTwice_isNoProblem() throws Exception {
    assertThat(
            chunks(
                build("{\"name\":\"d/\",\"type\":\"dir\"}", "{\"name\":\"./d\",\"type\":\"dir\"}")))
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-1|begins at byte -1 of the blob, expected 0 to 134217777",
        "134217778|begins at byte 134217778 of the blob",
        "9223372036854775807|begins at byte 9223372036854775807 of the blob"
      })
  void build_offsetsOutsideOfTheBlob_areRefused(long offset, String problem) {
    assertRefused(problem, file("a", 5, offset));
  }

  @Test
  void build_payloadsOutOfOrder_areRefused() {
    assertRefused("begins at byte 99 of the blob", file("a", 5, 100), file("b", 5, 99));
    assertRefused("expected 5 or more", file("a", 5, 100), file("b", 5, 100));
    assertRefused(
        "begins at byte 4 of what its chunk decodes to, expected 5 or more",
        file("a", 5, 100),
        file("b", 5, 100, "\"innerOffset\":4"));
    assertRefused("expected 0 or more", file("b", 5, 100, "\"innerOffset\":-1"));
    assertRefused("decodes to", file("b", 5, 100, "\"innerOffset\":9223372036854775807"));
    assertRefused(
        "begins at byte 109 of the blob, expected 110",
        file("a", 5, 100, "\"endOffset\":110"),
        file("b", 5, 109, "\"endOffset\":120"));
    assertRefused(
        "as another",
        file("a", 5, 100, "\"endOffset\":110"),
        file("b", 5, 100, "\"innerOffset\":5"));
    assertRefused("ends at byte 100 of the blob", file("a", 5, 100, "\"endOffset\":100"));
    assertRefused(
        "ends at byte 134217779 of the blob", file("a", 5, 100, "\"endOffset\":134217779"));
  }

  @Test
  void build_chunksThatNobodyCouldRead_areRefused() {
    long most = 128L << 20;
    assertRefused("at most 134217728", file("a", most + 1, 100));
    assertRefused("ends at byte 134217729", file("a", 2, 100, "\"innerOffset\":" + (most - 1)));
    assertRefused("the end comes after a chunk of 134217768 encoded bytes", file("a", 2, 10));
    assertRefused(
        "comes after a chunk of 134217767 encoded bytes",
        file("a", 2, 10),
        file("b", 2, PAYLOAD_END - 1));
    assertRefused(
        "after a chunk of 134217768 encoded bytes",
        file("a", 2, 10, "\"endOffset\":" + PAYLOAD_END));
  }

  @Test
  void build_filesThatTheirChunksDoNotMakeUp_areRefused() {
    assertRefused("has 10 bytes, its chunks 4", file("a", 10, 100, first(4)));
    assertRefused(
        "of which 7 from byte 4 on come after 4", file("a", 10, 100, first(4)), piece(4, 7, 200));
    assertRefused("come after 4", file("a", 10, 100, first(4)), piece(5, 5, 200));
    assertRefused("come after 4", file("a", 10, 100, first(4)), piece(3, 6, 200));
    assertRefused("come after 4", file("a", 10, 100, first(4)), piece(4, -6, 200));
    assertRefused("come after 10", file("a", 10, 100), piece(10, 0, 200));
    assertRefused("come after 0", file("a", 10, 100, "\"chunkSize\":9223372036854775807"));
    assertRefused("has -1 bytes", file("a", -1, 100));
    assertRefused("has 17592186044417 bytes", file("a", (1L << 44) + 1, 100));
    assertRefused(
        "of the device, at most 17592186044416",
        file("a", 1L << 44, 100, first(1)),
        piece(1, (1L << 44) - 1, 200, "\"chunkType\":\"zeros\""),
        file("b", 1, 300));
    assertRefused("is a chunk of no file", piece(0, 5, 100));
    assertRefused("is a chunk of no file", file("a", 0, 0), piece(0, 5, 100));
    assertRefused(
        "is a chunk of \"a\"", file("a", 10, 100, first(4)), piece(4, 6, 200, "\"name\":\"b\""));
    assertRefused("a chunk of type \"ones\"", file("a", 10, 100, "\"chunkType\":\"ones\""));
  }

  @Test
  void build_payloadsThatNoDigestCovers_areRefused() {
    String digest = "\"digest\":\"" + DIGEST + "\"";
    assertRefused("has no digest", file("a", 10, 100).replace("," + digest, ""));
    assertRefused("has no digest of the bytes from 0 on", file("a", 10, 100, "\"chunkSize\":4"));
    assertRefused("has a bad digest", file("a", 10, 100).replace(digest, "\"digest\":\"x\""));
    assertRefused(
        "only SHA-256 is known here",
        file("a", 10, 100).replace(digest, "\"digest\":\"sha512:" + "0".repeat(128) + "\""));
  }

  @Test
  void build_namesThatComeTwice_areRefused() {
    assertRefused("entry \"./a\" is there twice", file("a", 5, 100), file("./a", 5, 200));
    assertRefused("is there twice", "{\"name\":\"a\",\"type\":\"dir\"}", file("a", 0, 0));
    assertRefused("is there twice", file("a", 0, 0), "{\"name\":\"a/\",\"type\":\"dir\"}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"name\":\"a\\u0000b\",\"type\":\"reg\"}|has a NUL in it",
        "{\"name\":\"a\",\"type\":\"socket\"}|is of type \"socket\"",
        "{\"name\":\"a\"}|is of type \"\"",
        "{\"name\":\"a\",\"type\":\"symlink\"}|is a symlink of 0 bytes",
        "{\"name\":\"a\",\"type\":\"hardlink\",\"linkName\":\"a\"}|itself",
        "{\"name\":\"a\",\"type\":\"hardlink\",\"linkName\":\"/\"}|is a directory",
        "{\"name\":\"a\",\"type\":\"char\",\"devMajor\":4096}|is device 4096:0",
        "{\"name\":\"a\",\"type\":\"block\",\"devMinor\":-1}|is device 0:-1",
        "{\"name\":\"a\",\"type\":\"dir\",\"uid\":4294967296}|has owner 4294967296",
        "{\"name\":\"a\",\"type\":\"dir\",\"modtime\":\"now\"}|has a bad modtime",
        "{\"name\":\".wh.\",\"type\":\"reg\"}|is a whiteout of nothing",
        "{\"name\":\"f\",\"type\":\"reg\"},{\"name\":\"f/g\",\"type\":\"reg\"}|through a file"
      })
  void build_entriesThatNoFileCanBe_areRefused(String entryAndProblem) {
    int bar = entryAndProblem.lastIndexOf('|');
    assertRefused(entryAndProblem.substring(bar + 1), entryAndProblem.substring(0, bar));
  }

  @Test
  void build_namesThatLeadOutOfTheTree_stayInIt() throws Exception {
    TocBuilder built = build(file("../../a", 5, 100), file("/b/../c", 5, 200));
    assertThat(chunks(built)).hasSize(2);
    assertRefused("is there twice", file("../../a", 5, 100), file("a", 5, 200));
  }

  private static void assertRefused(String problem, String... entries) {
    assertThatThrownBy(() -> build(entries))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining(problem)
        .hasMessageContaining("resource=layer x");
  }
}
