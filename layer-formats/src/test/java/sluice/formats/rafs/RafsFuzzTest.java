package sluice.formats.rafs;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.formats.testing.BlobSource;
import sluice.testing.Fixtures;

/** Any bytes are a tree and chunks or an IOException: no other exception, no hang, no memory. */
class RafsFuzzTest {

  /** The fuzzer may grow its input; what is larger says nothing new. */
  private static final int MAX_INPUT_BYTES = 1 << 20;

  static Stream<byte[]> bootstraps() throws IOException {
    return Stream.of(
        entry("one", "nydus-zstd", "image.boot"),
        entry("reader", "nydus-prefetch", "image.boot"),
        entry("empty", "nydus-zstd", "image.boot"),
        entry("one", ZranImage.TAG, "image.boot"));
  }

  static Stream<byte[]> contextTables() throws IOException {
    return Stream.of(entry("small", "nydus-batch", ".blob.meta"));
  }

  static Stream<byte[]> zranTables() throws IOException {
    return Stream.of(
        entry("one", ZranImage.TAG, ".blob.meta"), entry("second", ZranImage.TAG, ".blob.meta"));
  }

  static Stream<byte[]> contextBlobs() throws IOException {
    Fixtures fixtures = Fixtures.of("second");
    Digest blob = fixtures.document(ZranImage.TAG).layers().getFirst().digest();
    return Stream.of(Files.readAllBytes(fixtures.blob(blob)), new byte[0]);
  }

  /** Compressed and not: a fuzzer hardly finds through gzip to the tar in it. */
  static Stream<byte[]> layers() throws IOException {
    Fixtures fixtures = Fixtures.of("one");
    Digest layer = fixtures.document("nydus-zstd").layers().getLast().digest();
    byte[] compressed = Files.readAllBytes(fixtures.blob(layer));
    try (InputStream tar = new GZIPInputStream(new ByteArrayInputStream(compressed))) {
      return Stream.of(compressed, tar.readAllBytes(), new byte[0]);
    }
  }

  @MethodSource("bootstraps")
  @FuzzTest(maxDuration = "10m")
  void index_anyBootstrap(byte[] bootstrap) throws IOException, InterruptedException {
    probe(bootstrap, bootstrap);
  }

  @MethodSource("contextTables")
  @FuzzTest(maxDuration = "10m")
  void index_anyContextTable(byte[] contexts) throws IOException, InterruptedException {
    probe(entry("small", "nydus-batch", "image.boot"), contexts);
  }

  @MethodSource("zranTables")
  @FuzzTest(maxDuration = "10m")
  void index_anyZranTable(byte[] contexts) throws IOException, InterruptedException {
    probe(entry("second", ZranImage.TAG, "image.boot"), contexts);
  }

  /** Nothing but its digest is known of the blob, and that is right. */
  @MethodSource("contextBlobs")
  @FuzzTest(maxDuration = "10m")
  void table_ofAnyContextBlob(byte[] blob) throws IOException, InterruptedException {
    Descriptor descriptor =
        new Descriptor(RafsFormat.BLOB_MEDIA_TYPE, Digest.sha256(blob), blob.length);
    BlobEntry.Contexts place = new BlobEntry.Contexts(Compressor.ZSTD, 0, 11851, 131416, null);
    inDirectory(directory -> {
      ContextBlob fetched =
          ContextBlob.fetch(
              new BlobSource(digest -> blob),
              descriptor,
              Set.of(Fixtures.of("second").repository()),
              null,
              directory);
      ContextReader.Decoded decoded = fetched.table(place);
      var _ = new ZranTable(decoded.table(), decoded.header(), 264_493, "fuzzed table");
      // It is not the one that the bootstrap says, but it is read.
      ContextBlob.fetch(
          new BlobSource(digest -> blob),
          descriptor,
          Set.of(Fixtures.of("second").repository()),
          Digest.sha256(blob),
          directory);
    });
  }

  @MethodSource("layers")
  @FuzzTest(maxDuration = "10m")
  void unpack_anyLayer(byte[] layer) throws IOException {
    Digest any = Digest.sha256(layer);
    inDirectory(directory ->
        BootstrapLayer.unpack(
            new ByteArrayInputStream(layer), any, any, directory, "fuzzed layer"));
  }

  private static void probe(byte[] bootstrap, byte[] contexts)
      throws IOException, InterruptedException {
    if (bootstrap.length > MAX_INPUT_BYTES || contexts.length > MAX_INPUT_BYTES) {
      return;
    }
    inDirectory(directory -> {
      Path file = Files.write(directory.resolve("image.boot"), bootstrap);
      Path table = Files.write(directory.resolve("blob.meta"), contexts);
      Probe.index(file, table);
    });
  }

  /** What is tried with the input. */
  @FunctionalInterface
  private interface Attempt<E extends Exception> {
    void in(Path directory) throws IOException, E;
  }

  private static <E extends Exception> void inDirectory(Attempt<E> attempt) throws IOException, E {
    Path directory = Files.createTempDirectory("fuzz");
    try {
      attempt.in(directory);
    } catch (IOException expected) {
      // The answer to almost every input; BadBootstrapTest looks at the messages.
      return;
    } finally {
      try (Stream<Path> files = Files.list(directory)) {
        for (Path file : (Iterable<Path>) files::iterator) {
          Files.delete(file);
        }
      }
      Files.delete(directory);
    }
  }

  /** The first file of a bootstrap layer whose name ends so. */
  private static byte[] entry(String image, String tag, String suffix) throws IOException {
    Fixtures fixtures = Fixtures.of(image);
    Digest layer = fixtures.document(tag).layers().getLast().digest();
    try (InputStream in = new GZIPInputStream(Files.newInputStream(fixtures.blob(layer)));
        TarArchiveInputStream tar = new TarArchiveInputStream(in)) {
      for (TarArchiveEntry each = tar.getNextEntry(); each != null; each = tar.getNextEntry()) {
        if (each.getName().endsWith(suffix)) {
          return tar.readAllBytes();
        }
      }
    }
    throw new AssertionError("no " + suffix + " in " + Arrays.asList(image, tag));
  }
}
