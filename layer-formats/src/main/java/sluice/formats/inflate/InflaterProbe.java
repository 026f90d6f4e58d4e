package sluice.formats.inflate;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Supplier;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;

/**
 * Finds out whether a native inflater can be used: it must be there, and decode a sample that is
 * fed to it in odd pieces. A library whose structs were laid out otherwise would not.
 */
final class InflaterProbe {

  private static final int WINDOW_BYTES = 1000;

  /** More than the 64 KiB after which ISA-L puts out in another way. */
  private static final int SAMPLE_BYTES = 100_000;

  private static final int PIECE_BYTES = 4_999;
  private static final int SHIFT = 3;

  private InflaterProbe() {}

  /** Why it can't be used; null if it can. */
  static @Nullable String problem(InflaterLibrary library, Supplier<RawInflater> maker) {
    try (RawInflater inflater = maker.get()) {
      if (inflater instanceof IsalInflater isal && !isal.looksInitialised()) {
        return library + " keeps its state in another way than version 2.30";
      }
      boolean right = decodes(inflater);
      if (!right || (inflater instanceof IsalInflater isal && !isal.endUntouched())) {
        return library + " does not decode a sample to what it is";
      }
      return null;
    } catch (LinkageError e) {
      return library + " can't be loaded";
    } catch (DataFormatException | IllegalStateException | IllegalArgumentException e) {
      return library + " does not decode a sample: " + e.getMessage();
    }
  }

  private static boolean decodes(RawInflater inflater) throws DataFormatException {
    byte[] text = new byte[WINDOW_BYTES + SAMPLE_BYTES];
    for (int i = 0; i < text.length; i++) {
      text[i] = (byte) (((i * i) >>> 7) ^ (i / 300));
    }
    ByteBuffer window = ByteBuffer.wrap(text, 0, WINDOW_BYTES);
    byte[] encoded = deflate(text);
    ByteBuffer in = ByteBuffer.wrap(shifted(encoded));
    ByteBuffer decoded = ByteBuffer.allocate(SAMPLE_BYTES + 1);
    int first = in.get() & 0xff;
    inflater.start(first, Byte.SIZE - SHIFT, window);
    boolean ended = false;
    while (!ended) {
      int before = in.position() + decoded.position();
      in.limit(Math.min(in.capacity(), in.position() + PIECE_BYTES));
      decoded.limit(Math.min(decoded.capacity(), decoded.position() + PIECE_BYTES));
      ended = inflater.inflate(in, decoded);
      if (!ended && in.position() + decoded.position() == before) {
        return false;
      }
    }
    return decoded.position() == SAMPLE_BYTES
        && Arrays.equals(text, WINDOW_BYTES, text.length, decoded.array(), 0, SAMPLE_BYTES)
        && in.position() >= in.capacity() - 2
        && in.hasRemaining();
  }

  private static byte[] deflate(byte[] text) {
    Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
    try {
      deflater.setDictionary(text, 0, WINDOW_BYTES);
      deflater.setInput(text, WINDOW_BYTES, SAMPLE_BYTES);
      deflater.finish();
      byte[] encoded = new byte[2 * SAMPLE_BYTES];
      return Arrays.copyOf(encoded, deflater.deflate(encoded));
    } finally {
      deflater.end();
    }
  }

  /** The same bits, {@link #SHIFT} bits later, and a byte that does not belong to them. */
  private static byte[] shifted(byte[] bytes) {
    byte[] shifted = new byte[bytes.length + 2];
    for (int i = 0; i < bytes.length; i++) {
      int bits = (bytes[i] & 0xff) << SHIFT;
      shifted[i] |= (byte) bits;
      shifted[i + 1] |= (byte) (bits >>> Byte.SIZE);
    }
    return shifted;
  }
}
