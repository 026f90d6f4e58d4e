package sluice.formats.rafs;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.ContentHasher;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.formats.stream.LayerStream;

/**
 * A blob of metadata alone, as a layer of an image: it begins with a compression context table. It
 * is fetched whole, since only then can its digest be checked. Dictionaries make it large, so it
 * lies in a file.
 */
final class ContextBlob {

  /** Dictionaries of 32 KiB for contexts of 1 to 2 MiB: the layer may have 32 GiB at least. */
  static final long MAX_BYTES = 1L << 30;

  private static final int BUFFER_BYTES = 64 * 1024;

  private final Path file;
  private final MemorySegment content;
  private final String resource;

  private ContextBlob(Path file, MemorySegment content, String resource) {
    this.file = file;
    this.content = content;
    this.resource = resource;
  }

  /**
   * Fetches and verifies a blob; where one holder gives a wrong one, another is asked.
   *
   * @param toc what its table of contents must hash to, or null
   * @param directory gets files, which the caller deletes
   * @throws CorruptException if it is not what the digests say, or too large
   */
  static ContextBlob fetch(
      RangeSource source,
      Descriptor descriptor,
      Set<Repository> holders,
      @Nullable Digest toc,
      Path directory)
      throws IOException, InterruptedException {
    String resource = "nydus blob " + descriptor.digest();
    if (descriptor.sizeBytes() > MAX_BYTES) {
      throw new CorruptException(
          "%d bytes of contexts, at most %d".formatted(descriptor.sizeBytes(), MAX_BYTES),
          resource,
          -1);
    }
    Path file = directory.resolve(descriptor.digest().hex() + ".blob");
    Digest found = fetch(source, descriptor, holders, file);
    if (!found.equals(descriptor.digest())) {
      source.rejected(descriptor.digest(), holders, 0);
      found = fetch(source, descriptor, holders, file);
    }
    if (!found.equals(descriptor.digest())) {
      throw new CorruptException("digest: " + found, resource, -1);
    }
    MemorySegment content = Layout.map(file);
    if (toc != null) {
      ByteBuffer contents = BlobTrailer.contents(content, resource).asByteBuffer();
      if (!ContentHasher.matches(toc, contents)) {
        throw new CorruptException(
            "%s: not %s, which the bootstrap says".formatted(BlobTrailer.CONTENTS, toc),
            resource,
            -1);
      }
    }
    return new ContextBlob(file, content, resource);
  }

  /** Copies what comes, at most one byte more than there should be, and says what it hashes to. */
  private static Digest fetch(
      RangeSource source, Descriptor descriptor, Set<Repository> holders, Path file)
      throws IOException, InterruptedException {
    try (InputStream blob = source.open(descriptor.digest(), holders, Lane.DEMAND);
        DigestOutputStream out =
            new DigestOutputStream(Files.newOutputStream(file), Digest.sha256())) {
      copy(blob, out, descriptor.sizeBytes() + 1);
      return Digest.of(Digest.Algorithm.SHA256, out.getMessageDigest().digest());
    }
  }

  /** Copies at most {@code length} bytes and says how many there were. */
  private static long copy(InputStream from, OutputStream to, long length) throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    long copied = 0;
    while (copied < length) {
      int count = from.read(buffer, 0, (int) Math.min(buffer.length, length - copied));
      if (count < 0) {
        break;
      }
      to.write(buffer, 0, count);
      copied += count;
    }
    return copied;
  }

  /**
   * Decodes the table.
   *
   * @throws CorruptException if it does not lie there
   */
  ContextReader.Decoded table(BlobEntry.Contexts place) throws IOException {
    long encoded = place.encodedBytes();
    long header = place.offset() + encoded;
    Layout.require(content, place.offset(), encoded, "contexts", resource);
    ContextHeader read = ContextHeader.read(content, header, resource);
    if (encoded == place.decodedBytes()) {
      return new ContextReader.Decoded(content.asSlice(place.offset(), encoded), read);
    }
    if (place.compressor() != Compressor.ZSTD
        || place.decodedBytes() < 0
        || place.decodedBytes() > MAX_BYTES) {
      throw new CorruptException(
          "contexts: %s bytes of %s, expected at most %d of zstd"
              .formatted(
                  Long.toUnsignedString(place.decodedBytes()), place.compressor(), MAX_BYTES),
          resource,
          place.offset());
    }
    return new ContextReader.Decoded(Layout.map(decode(place)), read);
  }

  /** Decodes into a file by writing it: a map of it would end the JVM where the disk is full. */
  private Path decode(BlobEntry.Contexts place) throws IOException {
    Path table = file.resolveSibling(file.getFileName() + ".table");
    try (FileChannel blob = FileChannel.open(file).position(place.offset());
        InputStream decoded =
            LayerStream.open(StreamCompression.ZSTD, Channels.newInputStream(blob), resource);
        OutputStream out = Files.newOutputStream(table)) {
      long length = copy(decoded, out, place.decodedBytes());
      if (length < place.decodedBytes()) {
        throw new CorruptException(
            "contexts: %d bytes, expected %d".formatted(length, place.decodedBytes()),
            resource,
            place.offset());
      }
    }
    return table;
  }
}
