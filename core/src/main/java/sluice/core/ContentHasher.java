package sluice.core;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Hashes content that is in memory, with any algorithm that a {@link Digest} names. */
public final class ContentHasher {

  private ContentHasher() {}

  /** The raw hash of the remaining bytes of {@code content}, whose position stays. */
  public static byte[] hash(Digest.Algorithm algorithm, ByteBuffer content) {
    return switch (algorithm) {
      case SHA256 -> hash("SHA-256", content);
      case SHA512 -> hash("SHA-512", content);
      case BLAKE3 -> Blake3.hash(content);
    };
  }

  /** Whether the remaining bytes of {@code content} are what {@code digest} names. */
  public static boolean matches(Digest digest, ByteBuffer content) {
    return digest.matches(hash(digest.algorithm(), content));
  }

  private static byte[] hash(String name, ByteBuffer content) {
    try {
      MessageDigest hasher = MessageDigest.getInstance(name);
      hasher.update(content.duplicate());
      return hasher.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("each JDK has " + name, e);
    }
  }
}
