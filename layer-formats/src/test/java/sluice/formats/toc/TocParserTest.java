package sluice.formats.toc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.formats.entry.EntryLimits;

class TocParserTest {

  private static List<TocEntry> parse(String json) throws IOException {
    List<TocEntry> entries = new ArrayList<>();
    TocParser.parse(new ByteArrayInputStream(json.getBytes(UTF_8)), "layer x", entries::add);
    return entries;
  }

  private static List<TocEntry> parseEntries(String... entries) throws IOException {
    return parse("{\"version\":1,\"entries\":[" + String.join(",", entries) + "]}");
  }

  @Test
  void parse_everyField_isRead() throws Exception {
    TocEntry entry =
        parseEntries(
                """
                {"name":"a/\\u00fc","type":"reg","size":5,"modtime":"m","linkName":"l","mode":420,
                 "uid":4000000000,"gid":7,"devMajor":8,"devMinor":9,"digest":"d","offset":10,
                 "innerOffset":11,"endOffset":12,"chunkOffset":13,"chunkSize":14,"chunkDigest":"c",
                 "chunkType":"zeros","xattrs":{"user.a":"AQI=","user.e":"","user.n":null},
                 "userName":"root","accesstime":"x","more":{"deep":[1,{"er":null}]}}
                """)
            .getFirst();
    assertThat(entry.name).isEqualTo(Bytes.utf8("a/ü"));
    assertThat(entry.isFile()).isTrue();
    assertThat(entry.size).isEqualTo(5);
    assertThat(entry.modtime).isEqualTo("m");
    assertThat(entry.linkName).isEqualTo(Bytes.utf8("l"));
    assertThat(entry.mode).isEqualTo(420);
    assertThat(entry.uid).isEqualTo(4_000_000_000L);
    assertThat(entry.gid).isEqualTo(7);
    assertThat(entry.devMajor).isEqualTo(8);
    assertThat(entry.devMinor).isEqualTo(9);
    assertThat(entry.digest).isEqualTo("d");
    assertThat(entry.offset).isEqualTo(10);
    assertThat(entry.innerOffset).isEqualTo(11);
    assertThat(entry.endOffset).isEqualTo(12);
    assertThat(entry.chunkOffset).isEqualTo(13);
    assertThat(entry.chunkSize).isEqualTo(14);
    assertThat(entry.chunkDigest).isEqualTo("c");
    assertThat(entry.chunkType).isEqualTo("zeros");
    assertThat(entry.xattrs)
        .isEqualTo(
            Map.of(
                Bytes.utf8("user.a"),
                Bytes.of((byte) 1, (byte) 2),
                Bytes.utf8("user.e"),
                Bytes.EMPTY,
                Bytes.utf8("user.n"),
                Bytes.EMPTY));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"version\":1,\"entries\":null}",
        "{\"version\":1,\"entries\":[]}",
        "{\"entries\":[],\"tarSplitDigest\":\"x\",\"more\":[[]],\"version\":1}  \n"
      })
  void parse_noEntries(String json) throws Exception {
    assertThat(parse(json)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[]|an object expected",
        "{}|\"version\" is missing",
        "{\"version\":1}|\"entries\" is missing",
        "{\"entries\":[]}|\"version\" is missing",
        "{\"version\":2,\"entries\":[]}|version 2, only 1 is known",
        "{\"version\":\"1\",\"entries\":[]}|a whole number expected",
        "{\"version\":1,\"version\":1,\"entries\":[]}|\"version\" is there twice",
        "{\"version\":1,\"entries\":[],\"entries\":null}|\"entries\" is there twice",
        "{\"version\":1,\"entries\":{}}|a list expected",
        "{\"version\":1,\"entries\":[1]}|an object expected",
        "{\"version\":1,\"entries\":[]}{}|something follows",
        "{\"version\":1,\"entries\":[]}x|JSON",
        "{\"version\":1,\"entries\":[|JSON",
        "{\"version\":1,\"entries\":[{\"name\":1}]}|name: a string expected",
        "{\"version\":1,\"entries\":[{\"size\":\"1\"}]}|size: a whole number expected",
        "{\"version\":1,\"entries\":[{\"size\":1.5}]}|size: a whole number expected",
        "{\"version\":1,\"entries\":[{\"size\":9223372036854775808}]}|JSON",
        "{\"version\":1,\"entries\":[{\"name\":\"a\",\"name\":\"a\"}]}|\"name\" twice",
        "{\"version\":1,\"entries\":[{\"xattrs\":[]}]}|an object expected",
        "{\"version\":1,\"entries\":[{\"xattrs\":{\"a\":\"=\"}}]}|not base64",
        "{\"version\":1,\"entries\":[{\"xattrs\":{\"a\":1}}]}|a string expected",
        "{\"version\":1,\"entries\":[{\"xattrs\":{\"a\":\"\",\"a\":\"\"}}]}|is there twice"
      })
  void parse_whatIsNoToc_isRefused(String json, String problem) {
    assertRefused(json, problem);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"name\":\"a\\ufffdb\"}",
        "{\"name\":\"a\ufffdb\"}",
        "{\"linkName\":\"\\ufffd\"}",
        "{\"xattrs\":{\"user.\\ufffd\":\"\"}}"
      })
  void parse_namesThatJsonCannotHold_areRefused(String entry) {
    assertRefused(
        "{\"version\":1,\"entries\":[" + entry + "]}",
        "so the TOC cannot say what the layer holds");
  }

  @Test
  void parse_surrogates_countOnlyInPairs() throws Exception {
    assertThat(parseEntries("{\"name\":\"\\ud83d\\ude00\"}").getFirst().name)
        .isEqualTo(Bytes.utf8("😀"));
    for (String half : List.of("\\ud83d", "\\ude00", "\\ude00\\ud83d", "\\ud83dx")) {
      assertRefused(
          "{\"version\":1,\"entries\":[{\"name\":\"" + half + "\"}]}", "half of a surrogate pair");
    }
  }

  @Test
  void parse_deepNesting_isRefused() {
    assertRefused("{\"more\":" + "[".repeat(1_000_000), "nesting depth");
    assertRefused("{\"more\":" + "{\"a\":".repeat(1_000_000), "nesting depth");
  }

  @Test
  void parse_hugeStrings_areRefusedBeforeTheyFillTheHeap() {
    InputStream name =
        new SequenceInputStream(
            new ByteArrayInputStream("{\"version\":1,\"entries\":[{\"name\":\"".getBytes(UTF_8)),
            new Endless('a'));
    assertThatThrownBy(() -> TocParser.parse(name, "layer x", entry -> {}))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("String value length");
    InputStream key =
        new SequenceInputStream(
            new ByteArrayInputStream("{\"version\":1,\"".getBytes(UTF_8)), new Endless('a'));
    assertThatThrownBy(() -> TocParser.parse(key, "layer x", entry -> {}))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("Name length");
    InputStream number =
        new SequenceInputStream(
            new ByteArrayInputStream("{\"version\":".getBytes(UTF_8)), new Endless('1'));
    assertThatThrownBy(() -> TocParser.parse(number, "layer x", entry -> {}))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("exceeds the maximum allowed");
  }

  @Test
  void parse_moreXattrsThanALayerCanSay_areRefused() {
    StringBuilder xattrs = new StringBuilder();
    for (int i = 0; i < EntryLimits.MAX_XATTRS_BYTES / EntryLimits.XATTR_RECORD_BYTES; i++) {
      xattrs.append(",\"").append(i).append("\":\"\"");
    }
    assertRefused(
        "{\"version\":1,\"entries\":[{\"xattrs\":{" + xattrs.substring(1) + "}}]}",
        "xattrs of an entry: 10485");
  }

  @Test
  void parse_endlessDocument_ends() {
    InputStream blanks =
        new SequenceInputStream(
            new ByteArrayInputStream("{\"version\":1,".getBytes(UTF_8)), new Endless(' '));
    assertThatThrownBy(() -> TocParser.parse(blanks, "layer x", entry -> {}))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("Document length");
  }

  @Test
  void parse_closesNothing() throws Exception {
    InputStream open =
        new ByteArrayInputStream("{\"version\":1,\"entries\":null}".getBytes(UTF_8)) {
          @Override
          public void close() {
            throw new AssertionError("the caller closes it");
          }
        };
    TocParser.parse(open, "layer x", entry -> {});
  }

  private static void assertRefused(String json, String problem) {
    assertThatThrownBy(() -> parse(json))
        .isInstanceOf(CorruptException.class)
        .hasMessageStartingWith("TOC: ")
        .hasMessageContaining(problem)
        .hasMessageContaining("resource=layer x");
  }

  /** One byte, again and again. */
  private static final class Endless extends InputStream {
    private final int value;

    Endless(int value) {
      this.value = value;
    }

    @Override
    public int read() {
      return value;
    }

    @Override
    public int read(byte[] into, int offset, int length) {
      Arrays.fill(into, offset, offset + length, (byte) value);
      return length;
    }
  }
}
