package sluice.formats.decode;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;
import sluice.formats.inflate.GzipHeader;
import sluice.formats.inflate.RawInflater;

/** Chunks of gzip streams: members, or deflate from a checkpoint inside of one. */
final class GzipDecoder {

  private GzipDecoder() {}

  /**
   * Decodes members until {@code decoded} is full; what follows is left alone, be it the rest of a
   * member. The checksum of each member that ends by then is verified.
   */
  static void decodeMembers(RawInflater inflater, ByteBuffer encoded, ByteBuffer decoded)
      throws CorruptException {
    try {
      do {
        skipHeader(encoded, decoded);
        inflater.start();
        decodeMember(inflater, encoded, decoded);
      } while (decoded.hasRemaining());
    } catch (DataFormatException e) {
      throw corrupt(e, encoded);
    }
  }

  /**
   * Decodes until {@code decoded} is full. What follows in {@code encoded} belongs to the next
   * checkpoint; where a member ends before, the next one is entered.
   */
  static void decodeFrom(
      RawInflater inflater,
      ChunkEncoding.DeflateCheckpoint checkpoint,
      ByteBuffer encoded,
      ByteBuffer window,
      ByteBuffer decoded)
      throws CorruptException {
    try {
      inflater.start(checkpoint.firstByte(), checkpoint.bits(), window);
      inflate(inflater, encoded, decoded);
      while (decoded.hasRemaining()) {
        trailer(encoded);
        skipHeader(encoded, decoded);
        inflater.start();
        inflate(inflater, encoded, decoded);
      }
    } catch (DataFormatException e) {
      throw corrupt(e, encoded);
    }
  }

  /**
   * As {@link #decodeFrom}, with the byte of the first bits at the beginning of {@code encoded}.
   */
  static void decodeSpan(
      RawInflater inflater,
      ChunkEncoding.DeflateSpan span,
      ByteBuffer encoded,
      ByteBuffer window,
      ByteBuffer decoded)
      throws CorruptException {
    int firstByte = 0;
    if (span.bits() > 0) {
      if (!encoded.hasRemaining()) {
        throw corrupt("no byte for the first %d bits".formatted(span.bits()), 0);
      }
      firstByte = encoded.get() & 0xff;
    }
    decodeFrom(inflater, span.after(firstByte), encoded, window, decoded);
  }

  private static void decodeMember(RawInflater inflater, ByteBuffer encoded, ByteBuffer decoded)
      throws CorruptException, DataFormatException {
    ByteBuffer content = decoded.duplicate();
    if (inflate(inflater, encoded, decoded) || endsHere(inflater, encoded)) {
      verify(content.limit(decoded.position()), trailer(encoded), encoded.position());
    }
  }

  /** Inflates until the stream ends or {@code decoded} is full; returns whether it has ended. */
  private static boolean inflate(RawInflater inflater, ByteBuffer encoded, ByteBuffer decoded)
      throws CorruptException, DataFormatException {
    boolean ended = inflater.inflate(encoded, decoded);
    if (!ended && decoded.hasRemaining()) {
      throw corrupt(
          "ends inside a block, %d bytes early".formatted(decoded.remaining()), encoded.position());
    }
    return ended;
  }

  /**
   * Whether the member ends, trailer and all, where the chunk is full. Whatever else comes there,
   * even a broken block, is nobody's chunk.
   */
  private static boolean endsHere(RawInflater inflater, ByteBuffer encoded) {
    ByteBuffer more = ByteBuffer.allocate(1);
    try {
      return inflater.inflate(encoded, more)
          && more.hasRemaining()
          && encoded.remaining() >= GzipHeader.TRAILER_BYTES;
    } catch (DataFormatException e) {
      return false;
    }
  }

  private static void verify(ByteBuffer content, ByteBuffer trailer, int end)
      throws CorruptException {
    int length = content.remaining();
    CRC32 crc = new CRC32();
    crc.update(content);
    int expectedCrc = trailer.getInt();
    int expectedLength = trailer.getInt();
    if (expectedCrc != (int) crc.getValue() || expectedLength != length) {
      throw corrupt(
          "member trailer: CRC 0x%08x, length %d; decoded CRC 0x%08x, length %d"
              .formatted(expectedCrc, expectedLength, (int) crc.getValue(), length),
          end - GzipHeader.TRAILER_BYTES);
    }
  }

  private static void skipHeader(ByteBuffer encoded, ByteBuffer decoded)
      throws CorruptException, DataFormatException {
    GzipHeader header = new GzipHeader();
    do {
      if (!encoded.hasRemaining()) {
        throw corrupt(
            "ends where a member header should go on, %d bytes early"
                .formatted(decoded.remaining()),
            encoded.position());
      }
    } while (!header.accept(encoded.get()));
  }

  private static ByteBuffer trailer(ByteBuffer encoded) throws CorruptException {
    if (encoded.remaining() < GzipHeader.TRAILER_BYTES) {
      throw corrupt(
          "member trailer: %d bytes left, expected %d"
              .formatted(encoded.remaining(), GzipHeader.TRAILER_BYTES),
          encoded.position());
    }
    ByteBuffer trailer = encoded.slice(encoded.position(), GzipHeader.TRAILER_BYTES);
    encoded.position(encoded.position() + GzipHeader.TRAILER_BYTES);
    return trailer.order(ByteOrder.LITTLE_ENDIAN);
  }

  private static CorruptException corrupt(DataFormatException cause, ByteBuffer encoded) {
    CorruptException corrupt = corrupt(String.valueOf(cause.getMessage()), encoded.position());
    corrupt.initCause(cause);
    return corrupt;
  }

  private static CorruptException corrupt(String message, int offset) {
    return new CorruptException("gzip: " + message, "chunk", offset);
  }
}
