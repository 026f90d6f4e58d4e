package sluice.formats.stream;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.HexFormat;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.formats.inflate.InflaterLibrary;

/** Opens compressed layers as streams of their uncompressed bytes. */
public final class LayerStream {

  /** Enough for every magic number below. */
  private static final int MAGIC_BYTES = 4;

  private static final byte[] GZIP = HexFormat.of().parseHex("1f8b08");
  private static final byte[] ZSTD = HexFormat.of().parseHex("28b52ffd");

  /** A skippable frame (RFC 8878, section 3.1.2) starts with 0x184d2a50 to 0x184d2a5f. */
  private static final byte[] SKIPPABLE_TAIL = HexFormat.of().parseHex("2a4d18");

  private LayerStream() {}

  /**
   * Says how a stream is compressed by its first bytes, which stay unread. As containerd does, what
   * has no known magic number is taken as it is.
   *
   * @param encoded at the beginning of a layer
   */
  public static StreamCompression detect(BufferedInputStream encoded) throws IOException {
    encoded.mark(MAGIC_BYTES);
    byte[] magic = encoded.readNBytes(MAGIC_BYTES);
    encoded.reset();
    if (startsWith(magic, 0, GZIP)) {
      return StreamCompression.GZIP;
    }
    boolean skippable =
        magic.length > 0 && (magic[0] & 0xf0) == 0x50 && startsWith(magic, 1, SKIPPABLE_TAIL);
    return skippable || startsWith(magic, 0, ZSTD)
        ? StreamCompression.ZSTD
        : StreamCompression.NONE;
  }

  /**
   * Opens a layer from its first byte. Takes ownership of {@code encoded}, also when it throws:
   * closing the result closes it. When the result has ended, {@code encoded} has been read to its
   * end. Memory is bounded whatever the stream claims: a few buffers, and for zstd the window, at
   * most 128 MiB.
   *
   * <p>The result is for one thread, a platform thread: the decoders are native code, and what they
   * allocate is freed when it is closed. It throws {@link sluice.core.CorruptException} if the
   * bytes are not of that compression, with the offset in {@code encoded}.
   *
   * @param resource what is read, for messages: {@code layer sha256:…}
   */
  public static InputStream open(
      StreamCompression compression, InputStream encoded, String resource) throws IOException {
    return open(compression, encoded, resource, InflaterLibrary.fastest());
  }

  /** As {@link #open(StreamCompression, InputStream, String)}, gzip by a library that is there. */
  public static InputStream open(
      StreamCompression compression,
      InputStream encoded,
      String resource,
      InflaterLibrary inflaters)
      throws IOException {
    return switch (compression) {
      case NONE -> encoded;
      case GZIP -> new GzipStream(encoded, resource, inflaters.open());
      case ZSTD -> ZstdStream.open(encoded, resource);
    };
  }

  private static boolean startsWith(byte[] bytes, int from, byte[] prefix) {
    return bytes.length >= from + prefix.length
        && Arrays.equals(bytes, from, from + prefix.length, prefix, 0, prefix.length);
  }
}
