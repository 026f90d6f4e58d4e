package sluice.formats.decode;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;

/** Chunks of gzip streams: whole members, or deflate from a checkpoint inside of one. */
final class GzipDecoder {

  private GzipDecoder() {}

  /**
   * Decodes members until {@code decoded} is full; what follows is left alone, be it the rest of a
   * member. The checksum of each member that ends by then is verified.
   */
  static void decodeMembers(ByteBuffer encoded, ByteBuffer decoded) throws CorruptException {
    Inflater inflater = new Inflater(true);
    try {
      do {
        GzipHeader.skip(encoded);
        inflater.reset();
        decodeMember(inflater, encoded, decoded);
      } while (decoded.hasRemaining());
    } finally {
      inflater.end();
    }
  }

  /**
   * Decodes until {@code decoded} is full. What follows in {@code encoded} belongs to the next
   * checkpoint; where a member ends before, the next one is entered.
   */
  static void decodeFrom(
      ChunkEncoding.DeflateCheckpoint checkpoint,
      ByteBuffer encoded,
      ByteBuffer window,
      ByteBuffer decoded)
      throws CorruptException {
    Inflater inflater = new Inflater(true);
    try {
      prime(inflater, checkpoint);
      if (window.hasRemaining()) {
        inflater.setDictionary(window);
      }
      inflate(inflater, encoded, decoded);
      while (decoded.hasRemaining()) {
        skipTrailer(encoded);
        GzipHeader.skip(encoded);
        inflater.reset();
        inflate(inflater, encoded, decoded);
      }
    } catch (DataFormatException e) {
      throw corrupt(e, encoded);
    } finally {
      inflater.end();
    }
  }

  /**
   * As {@link #decodeFrom}, with the byte of the first bits at the beginning of {@code encoded}.
   */
  static void decodeSpan(
      ChunkEncoding.DeflateSpan span, ByteBuffer encoded, ByteBuffer window, ByteBuffer decoded)
      throws CorruptException {
    int firstByte = 0;
    if (span.bits() > 0) {
      if (!encoded.hasRemaining()) {
        throw corrupt("no byte for the first %d bits".formatted(span.bits()), 0);
      }
      firstByte = encoded.get() & 0xff;
    }
    decodeFrom(span.after(firstByte), encoded, window, decoded);
  }

  private static void prime(Inflater inflater, ChunkEncoding.DeflateCheckpoint checkpoint)
      throws DataFormatException {
    if (checkpoint.bits() == 0) {
      return;
    }
    inflater.setInput(DeflatePrimer.bytes(checkpoint.firstByte(), checkpoint.bits()));
    byte[] discarded = new byte[DeflatePrimer.MAX_OUTPUT_BYTES + 1];
    while (!inflater.needsInput() && !inflater.finished()) {
      inflater.inflate(discarded);
    }
  }

  private static void decodeMember(Inflater inflater, ByteBuffer encoded, ByteBuffer decoded)
      throws CorruptException {
    ByteBuffer content = decoded.duplicate();
    try {
      inflate(inflater, encoded, decoded);
    } catch (DataFormatException e) {
      throw corrupt(e, encoded);
    }
    if (!decoded.hasRemaining() && !endsHere(inflater, encoded)) {
      return;
    }
    content.limit(decoded.position());
    int trailer = encoded.position();
    skipTrailer(encoded);
    CRC32 crc = new CRC32();
    int length = content.remaining();
    crc.update(content);
    ByteBuffer fields = encoded.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    int expectedCrc = fields.getInt(trailer);
    int expectedLength = fields.getInt(trailer + Integer.BYTES);
    if (expectedCrc != (int) crc.getValue() || expectedLength != length) {
      throw corrupt(
          "member trailer: CRC 0x%08x, length %d; decoded CRC 0x%08x, length %d"
              .formatted(expectedCrc, expectedLength, (int) crc.getValue(), length),
          trailer);
    }
  }

  /** Inflates until the stream ends or {@code decoded} is full. */
  private static void inflate(Inflater inflater, ByteBuffer encoded, ByteBuffer decoded)
      throws DataFormatException, CorruptException {
    inflater.setInput(encoded);
    while (decoded.hasRemaining() && !inflater.finished()) {
      if (inflater.inflate(decoded) == 0 && !inflater.finished()) {
        throw stuck(inflater, encoded, decoded.remaining());
      }
    }
  }

  /**
   * Whether the member ends, trailer and all, where {@code decoded} is full. Whatever else comes
   * there, even a broken block, is nobody's chunk.
   */
  private static boolean endsHere(Inflater inflater, ByteBuffer encoded) {
    try {
      return (inflater.finished() || inflater.inflate(new byte[1]) == 0)
          && inflater.finished()
          && encoded.remaining() >= GzipHeader.TRAILER_BYTES;
    } catch (DataFormatException e) {
      return false;
    }
  }

  private static CorruptException stuck(Inflater inflater, ByteBuffer encoded, int missing) {
    return inflater.needsDictionary()
        ? corrupt("asks for a preset dictionary", encoded.position())
        : corrupt("ends inside a block, %d bytes early".formatted(missing), encoded.position());
  }

  private static void skipTrailer(ByteBuffer encoded) throws CorruptException {
    if (encoded.remaining() < GzipHeader.TRAILER_BYTES) {
      throw corrupt(
          "member trailer: %d bytes left, expected %d"
              .formatted(encoded.remaining(), GzipHeader.TRAILER_BYTES),
          encoded.position());
    }
    encoded.position(encoded.position() + GzipHeader.TRAILER_BYTES);
  }

  private static CorruptException corrupt(DataFormatException cause, ByteBuffer encoded) {
    CorruptException corrupt = corrupt(String.valueOf(cause.getMessage()), encoded.position());
    corrupt.initCause(cause);
    return corrupt;
  }

  static CorruptException corrupt(String message, int offset) {
    return new CorruptException("gzip: " + message, "chunk", offset);
  }
}
