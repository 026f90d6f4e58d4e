package sluice.formats.inflate;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Hashes spans of a layer, one after another, which may share a byte. For one thread. */
final class SpanHasher {

  private final MessageDigest digest = sha256();
  private boolean begun;
  private byte last;

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("each JDK has SHA-256", e);
    }
  }

  void update(byte next) {
    if (begun) {
      digest.update(next);
    }
    last = next;
  }

  /** Takes the first {@code count} of what remains, and moves the position behind them. */
  void update(ByteBuffer bytes, int count) {
    if (count > 0) {
      ByteBuffer taken = bytes.slice(bytes.position(), count);
      bytes.position(bytes.position() + count);
      last = taken.get(count - 1);
      if (begun) {
        digest.update(taken);
      }
    }
  }

  /** Begins a span here, or with the byte before. */
  void begin(boolean withLast) {
    begun = true;
    if (withLast) {
      digest.update(last);
    }
  }

  /** Ends the span. */
  byte[] end() {
    return digest.digest();
  }
}
