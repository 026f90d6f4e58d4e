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

  /** Decodes one member or more, which must fill {@code decoded} and leave nothing over. */
  static void decodeMembers(ByteBuffer encoded, ByteBuffer decoded) throws CorruptException {
    Inflater inflater = new Inflater(true);
    try {
      do {
        GzipHeader.skip(encoded);
        inflater.reset();
        decodeMember(inflater, encoded, decoded);
      } while (encoded.hasRemaining());
    } finally {
      inflater.end();
    }
    if (decoded.hasRemaining()) {
      throw corrupt("ends %d bytes early".formatted(decoded.remaining()), encoded.position());
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
      if (!inflater.finished()) {
        finish(inflater, encoded);
      }
    } catch (DataFormatException e) {
      throw corrupt(e, encoded);
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

  /** Reads the end of a stream of which no byte may be left. */
  private static void finish(Inflater inflater, ByteBuffer encoded)
      throws DataFormatException, CorruptException {
    if (inflater.inflate(new byte[1]) > 0) {
      throw corrupt("decodes to more bytes than expected", encoded.position());
    }
    if (!inflater.finished()) {
      throw stuck(inflater, encoded, 0);
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
