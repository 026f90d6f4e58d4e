package sluice.cache;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import sluice.core.CorruptException;
import sluice.core.Digest;

/**
 * A digest in a chunk table: a code for its algorithm (0 none, 1 SHA-256, 2 SHA-512, 3 BLAKE3) and,
 * elsewhere in the record, its raw bytes, padded with zeros to the width of the field.
 */
final class DigestField {

  /** The widest: SHA-512. */
  static final int MAX_BYTES = 64;

  private DigestField() {}

  static int code(@Nullable Digest digest) {
    if (digest == null) {
      return 0;
    }
    return switch (digest.algorithm()) {
      case SHA256 -> 1;
      case SHA512 -> 2;
      case BLAKE3 -> 3;
    };
  }

  /** Whether a field may be that wide. */
  static boolean isWidth(int bytes) {
    return bytes == 0 || bytes == 32 || bytes == MAX_BYTES;
  }

  static void check(int code, int widthBytes, String resource, long offset)
      throws CorruptException {
    if (code < 0 || code > 3 || (code != 0 && algorithm(code).lengthBytes() > widthBytes)) {
      throw new CorruptException(
          "chunk table: digest algorithm %d in a field of %d bytes".formatted(code, widthBytes),
          resource,
          offset);
    }
  }

  static void put(ByteBuffer out, @Nullable Digest digest, int widthBytes) {
    byte[] hash = digest == null ? new byte[0] : digest.bytes();
    out.put(hash).put(new byte[widthBytes - hash.length]);
  }

  /** The digest with that code, or null for none. The code was {@link #check checked}. */
  static @Nullable Digest get(MemorySegment table, long offset, int code) {
    if (code == 0) {
      return null;
    }
    Digest.Algorithm algorithm = algorithm(code);
    return Digest.of(algorithm, table.asSlice(offset, algorithm.lengthBytes()).toArray(JAVA_BYTE));
  }

  private static Digest.Algorithm algorithm(int code) {
    return switch (code) {
      case 1 -> Digest.Algorithm.SHA256;
      case 2 -> Digest.Algorithm.SHA512;
      case 3 -> Digest.Algorithm.BLAKE3;
      default -> throw new IllegalArgumentException("digest algorithm " + code);
    };
  }
}
