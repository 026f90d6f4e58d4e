package sluice.formats.rafs;

import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.formats.stream.LayerStream;

/**
 * What the bootstrap layer's tar holds.
 *
 * @param bootstrap the file of {@code image/image.boot}
 * @param contexts the files of {@code image/BLOB.blob.meta} by blob id
 */
record BootstrapLayer(Path bootstrap, Map<String, Path> contexts) {

  private static final String BOOTSTRAP_NAME = "image/image.boot";
  private static final Pattern CONTEXTS_NAME =
      Pattern.compile("image/([0-9a-f]{64})\\.blob\\.meta");

  /** A bootstrap of ten million files is smaller; a gzip may claim anything. */
  static final long MAX_UNPACKED_BYTES = 4L << 30;

  private static final int BUFFER_BYTES = 64 * 1024;

  BootstrapLayer {
    contexts = Map.copyOf(contexts);
  }

  /**
   * Unpacks a bootstrap layer. Takes ownership of {@code layer}.
   *
   * @param digest what its bytes must hash to
   * @param diffId what its bytes must hash to once they are decompressed
   * @param directory gets the files
   * @throws CorruptException if a digest does not match, or there is no bootstrap in it
   */
  static BootstrapLayer unpack(
      InputStream layer, Digest digest, Digest diffId, Path directory, String resource)
      throws IOException {
    DigestInputStream encoded = new DigestInputStream(layer, Digest.sha256());
    BufferedInputStream buffered = new BufferedInputStream(encoded, BUFFER_BYTES);
    DigestInputStream tar;
    try {
      tar =
          new DigestInputStream(
              new Bounded(
                  LayerStream.open(LayerStream.detect(buffered), buffered, resource), resource),
              Digest.sha256());
    } catch (IOException | RuntimeException e) {
      try (buffered) {
        throw e;
      }
    }
    try (tar) {
      BootstrapLayer unpacked = entries(tar, directory, resource);
      tar.transferTo(OutputStream.nullOutputStream());
      buffered.transferTo(OutputStream.nullOutputStream());
      verify("digest", digest, encoded, resource);
      verify("diff-id", diffId, tar, resource);
      return unpacked;
    }
  }

  private static BootstrapLayer entries(InputStream tar, Path directory, String resource)
      throws IOException {
    Path bootstrap = null;
    Map<String, Path> contexts = new HashMap<>();
    // Not closed: closing it would close the stream whose digests are still to be read.
    @SuppressWarnings("resource")
    TarArchiveInputStream archive = new TarArchiveInputStream(tar);
    for (TarArchiveEntry entry = next(archive, resource);
        entry != null;
        entry = next(archive, resource)) {
      if (!entry.isFile()) {
        continue;
      }
      Matcher name = CONTEXTS_NAME.matcher(entry.getName());
      if (entry.getName().equals(BOOTSTRAP_NAME)) {
        bootstrap = copy(archive, directory.resolve("image.boot"));
      } else if (name.matches()) {
        contexts.put(name.group(1), copy(archive, directory.resolve(name.group(1))));
      }
    }
    if (bootstrap == null) {
      throw new CorruptException("tar: no entry " + BOOTSTRAP_NAME, resource, -1);
    }
    return new BootstrapLayer(bootstrap, contexts);
  }

  private static @Nullable TarArchiveEntry next(TarArchiveInputStream archive, String resource)
      throws IOException {
    try {
      return archive.getNextEntry();
    } catch (IllegalArgumentException e) {
      // How the library answers some damaged numbers.
      CorruptException corrupt = new CorruptException("tar: " + e.getMessage(), resource, -1);
      corrupt.initCause(e);
      throw corrupt;
    }
  }

  private static Path copy(InputStream entry, Path file) throws IOException {
    Files.deleteIfExists(file);
    Files.copy(entry, file);
    return file;
  }

  private static void verify(
      String what, Digest expected, DigestInputStream stream, String resource)
      throws CorruptException {
    Digest found = Digest.of(Digest.Algorithm.SHA256, stream.getMessageDigest().digest());
    if (!found.equals(expected)) {
      throw new CorruptException(
          "%s: %s, expected %s".formatted(what, found, expected), resource, -1);
    }
  }

  /** Ends in an exception what is longer than any bootstrap. */
  private static final class Bounded extends FilterInputStream {
    private final String resource;
    private long left = MAX_UNPACKED_BYTES;

    Bounded(InputStream in, String resource) {
      super(in);
      this.resource = resource;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int count = super.read(into, offset, length);
      left -= Math.max(0, count);
      if (left < 0) {
        throw new CorruptException(
            "unpacks to more than %d bytes".formatted(MAX_UNPACKED_BYTES), resource, -1);
      }
      return count;
    }

    @Override
    public boolean markSupported() {
      return false;
    }
  }
}
