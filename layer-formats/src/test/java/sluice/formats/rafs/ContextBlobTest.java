package sluice.formats.rafs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.formats.testing.BlobSource;
import sluice.testing.Fixtures;

/** Blobs of contexts that are not what they, or who refers to them, say. */
class ContextBlobTest {

  private static final Digest TOC =
      new Digest(
          Digest.Algorithm.SHA256,
          "84f91d8cfc89970c65893c5275062c6c23afedc886bcf07e8bf78fb9314b8e84");

  @TempDir private Path directory;

  private byte[] blob = {};

  @BeforeEach
  void read() throws IOException {
    Fixtures fixtures = Fixtures.of("one");
    Digest nydus = fixtures.document(ZranImage.TAG).layers().getFirst().digest();
    blob = Files.readAllBytes(fixtures.blob(nydus));
  }

  @Test
  void table_isWhatTheBootstrapLayerHolds() throws Exception {
    ContextReader.Decoded decoded = fetch(blob, TOC).table(place(0, 49, 64));
    assertThat(decoded.table().byteSize()).isEqualTo(64);
    assertThat(decoded.header().contexts()).isEqualTo(1);
    ZranTable table = new ZranTable(decoded.table(), decoded.header(), 105, "blob.meta");
    assertThat(table.context(0)).isEqualTo(new ZranContext(10, 76, 530, 0, 0, 0, 0));
  }

  @ParameterizedTest
  @CsvSource({
    "-1, 49, 64, contexts: 49 bytes at 18446744073709551615",
    "9223372036854775807, 49, 64, contexts: 49 bytes at 9223372036854775807",
    "0, -1, 64, contexts: 18446744073709551615 bytes at 0",
    "0, 7000, 64, context header: 4096 bytes at 7000",
    "0, 50, 64, context header: magic",
    "1, 48, 64, zstd: ",
    "0, 49, 65, zstd: Unknown frame descriptor",
    "0, 49, 1073741825, 'contexts: 1073741825 bytes of ZSTD, expected at most 1073741824'",
    "0, 49, -1, contexts: 18446744073709551615 bytes of ZSTD"
  })
  void table_ofAbsurdPlaces_isCorrupt(long offset, long encoded, long decoded, String message)
      throws Exception {
    ContextBlob fetched = fetch(blob, TOC);
    assertThatThrownBy(() -> fetched.table(place(offset, encoded, decoded)))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("resource=nydus blob sha256:bfc418cf");
  }

  @Test
  void table_ofAnotherCompressor_isCorrupt() throws Exception {
    ContextBlob fetched = fetch(blob, TOC);
    assertThatThrownBy(
            () -> fetched.table(new BlobEntry.Contexts(Compressor.LZ4_BLOCK, 0, 49, 64, null)))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("of LZ4_BLOCK");
  }

  /** Zeros of a gigabyte in a few bytes: no more is decoded than the bootstrap says. */
  @Test
  void table_ofAFrameThatHoldsMore_isCutThere() throws Exception {
    byte[] frame = Zstd.compress(new byte[1 << 20]);
    byte[] bomb = new byte[frame.length + ContextHeader.BYTES];
    System.arraycopy(frame, 0, bomb, 0, frame.length);
    System.arraycopy(blob, 49, bomb, frame.length, ContextHeader.BYTES);
    assertThat(fetch(bomb, null).table(place(0, frame.length, 100)).table().byteSize())
        .isEqualTo(100);
    try (var files = Files.list(directory)) {
      assertThat(files).allMatch(file -> file.toFile().length() <= bomb.length);
    }
  }

  @Test
  void fetch_ofATruncatedBlob_hasNoTableOfContents() {
    for (int length = 0; length < blob.length; length += 101) {
      byte[] cut = Arrays.copyOf(blob, length);
      assertThatThrownBy(() -> fetch(cut, TOC))
          .as("%d of %d bytes", length, blob.length)
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("rafs.blob.toc");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, x, no tar header of rafs.blob.toc",
    "124, 9, no tar header of rafs.blob.toc",
    "124, 7, rafs.blob.toc: 7516193280 bytes",
    "131, 0, rafs.blob.toc: not sha256:84f91d8c"
  })
  void fetch_ofATarHeaderThatLies_isCorrupt(int at, char value, String message) {
    blob[blob.length - BlobTrailer.TAR_HEADER_BYTES + at] = (byte) value;
    assertThatThrownBy(() -> fetch(blob, TOC))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining(message);
  }

  @Test
  void fetch_ofMoreBytesThanTheManifestSays_isCorrupt() {
    Digest digest = Digest.sha256(blob);
    Descriptor shorter = new Descriptor(RafsFormat.BLOB_MEDIA_TYPE, digest, blob.length - 2);
    assertThatThrownBy(() -> fetch(blob, shorter, null))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("digest: sha256:");
    Descriptor huge = new Descriptor(RafsFormat.BLOB_MEDIA_TYPE, digest, (1L << 30) + 1);
    assertThatThrownBy(() -> fetch(blob, huge, null))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("1073741825 bytes of contexts, at most 1073741824");
  }

  private static BlobEntry.Contexts place(long offset, long encoded, long decoded) {
    return new BlobEntry.Contexts(Compressor.ZSTD, offset, encoded, decoded, null);
  }

  private ContextBlob fetch(byte[] bytes, @Nullable Digest toc)
      throws IOException, InterruptedException {
    Descriptor descriptor =
        new Descriptor(RafsFormat.BLOB_MEDIA_TYPE, Digest.sha256(bytes), bytes.length);
    return fetch(bytes, descriptor, toc);
  }

  private ContextBlob fetch(byte[] bytes, Descriptor descriptor, @Nullable Digest toc)
      throws IOException, InterruptedException {
    BlobSource source = new BlobSource(digest -> bytes);
    try {
      return ContextBlob.fetch(
          source, descriptor, Set.of(Fixtures.of("one").repository()), toc, directory);
    } finally {
      assertThat(source.openStreams()).isZero();
    }
  }
}
