package sluice.core;

/**
 * How the bytes of a chunk are encoded in its blob. Formats are open, encodings are closed: a
 * decoder switches over all of them.
 */
public sealed interface ChunkEncoding {

  /** As they are. */
  record Plain() implements ChunkEncoding {}

  /**
   * One zstd frame or more (RFC 8878), of which the chunk is the beginning: {@link
   * Chunk#decodedLength} bytes are decoded, what follows in the encoded range is left alone. Frames
   * of zstd:chunked layers by stargz hold more after the payload: padding and the tar headers of
   * entries that follow, whose length stands nowhere.
   */
  record ZstdFrame() implements ChunkEncoding {}

  /** One raw LZ4 block, without any header. */
  record Lz4Block() implements ChunkEncoding {}

  /**
   * One gzip member or more (RFC 1952), of which the chunk is the beginning, as with {@link
   * ZstdFrame}: members of eStargz layers hold more after the payload, too.
   */
  record GzipMember() implements ChunkEncoding {}

  /**
   * Deflate from a checkpoint inside a gzip stream, as zran, SOCI and nydus record them.
   *
   * @param firstByte the byte before the chunk's first whole byte, whose high {@code bits} bits
   *     belong to the chunk; unused when {@code bits} is 0
   * @param bits how many bits of {@code firstByte} to prime with, 0 to 7
   * @param window where the dictionary of at most 32 KiB lies in {@link DeviceIndex#windows}
   */
  record DeflateCheckpoint(int firstByte, int bits, ByteRange window) implements ChunkEncoding {
    /** The largest window that deflate refers back to (RFC 1951). */
    public static final int MAX_WINDOW_BYTES = 32 * 1024;

    public DeflateCheckpoint {
      if (firstByte < 0 || firstByte > 255) {
        throw new IllegalArgumentException("checkpoint: first byte " + firstByte);
      }
      check(bits, window);
    }

    private static void check(int bits, ByteRange window) {
      if (bits < 0 || bits > 7 || window.length() > MAX_WINDOW_BYTES) {
        throw new IllegalArgumentException(
            "checkpoint: bits %d, window of %d bytes".formatted(bits, window.length()));
      }
    }
  }

  /**
   * Deflate from a checkpoint inside a gzip stream, whose range holds all of its bits: unless
   * {@code bits} is 0, the first byte of the range is the one whose high bits belong to the chunk.
   * So the digest of the encoded bytes covers them, too, as SOCI has it.
   *
   * @param bits how many bits of the first byte to prime with, 0 to 7
   * @param window as in {@link DeflateCheckpoint}
   */
  record DeflateSpan(int bits, ByteRange window) implements ChunkEncoding {

    public DeflateSpan {
      DeflateCheckpoint.check(bits, window);
    }

    /** The same checkpoint, for the bytes after the first one. */
    public DeflateCheckpoint after(int firstByte) {
      return new DeflateCheckpoint(firstByte, bits, window);
    }
  }

  /** The whole blob as one stream: what a layer without an index has. */
  record WholeStream(StreamCompression compression) implements ChunkEncoding {}

  /** How a layer's tar stream is compressed. */
  enum StreamCompression {
    NONE,
    GZIP,
    ZSTD
  }
}
