package sluice.core;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;

/**
 * A content digest, {@code algorithm:hex} in its text form (OCI image specification, descriptor,
 * "Digests"). BLAKE3 is not a registered OCI algorithm; it names the chunk digests of RAFS.
 */
public record Digest(Algorithm algorithm, String hex) {

  /** The algorithms that images and their indexes use. */
  public enum Algorithm {
    SHA256(32),
    SHA512(64),
    BLAKE3(32);

    private final int lengthBytes;

    Algorithm(int lengthBytes) {
      this.lengthBytes = lengthBytes;
    }

    public int lengthBytes() {
      return lengthBytes;
    }

    /** The name before the colon, for example {@code sha256}. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final HexFormat HEX = HexFormat.of();

  /**
   * @throws IllegalArgumentException if {@code hex} is not the lower-case hexadecimal form of a
   *     digest of {@code algorithm}
   */
  public Digest {
    if (hex.length() != 2 * algorithm.lengthBytes() || !isLowerHex(hex)) {
      throw new IllegalArgumentException(
          "digest: %d lower-case hexadecimal digits expected after \"%s:\", found \"%s\""
              .formatted(2 * algorithm.lengthBytes(), algorithm.label(), abbreviate(hex)));
    }
  }

  /**
   * Reads {@code algorithm:hex}.
   *
   * @throws IllegalArgumentException if the text has another form or names an unknown algorithm
   */
  public static Digest parse(String text) {
    int colon = text.indexOf(':');
    String label = colon < 0 ? "" : text.substring(0, colon);
    for (Algorithm algorithm : Algorithm.values()) {
      if (algorithm.label().equals(label)) {
        return new Digest(algorithm, text.substring(colon + 1));
      }
    }
    throw new IllegalArgumentException(
        "digest: sha256:…, sha512:… or blake3:… expected, found \"" + abbreviate(text) + "\"");
  }

  /** Wraps the bytes of a finished hash. */
  public static Digest of(Algorithm algorithm, byte[] hash) {
    return new Digest(algorithm, HEX.formatHex(hash));
  }

  /** Hashes {@code content} whole. */
  public static Digest sha256(byte[] content) {
    return of(Algorithm.SHA256, sha256().digest(content));
  }

  /** A fresh SHA-256 of the JDK, which every JDK has. */
  public static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("the Java platform requires SHA-256", e);
    }
  }

  /**
   * A fresh hasher of what blobs and diff IDs are named by (OCI image specification, "Digests").
   *
   * @throws IllegalArgumentException if it is BLAKE3, which names chunks, never blobs
   */
  public static MessageDigest hasher(Algorithm algorithm) {
    try {
      return switch (algorithm) {
        case SHA256 -> sha256();
        case SHA512 -> MessageDigest.getInstance("SHA-512");
        case BLAKE3 -> throw new IllegalArgumentException("blake3 names chunks, never blobs");
      };
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("each JDK has SHA-512", e);
    }
  }

  /** The raw hash. */
  public byte[] bytes() {
    return HEX.parseHex(hex);
  }

  /** Whether {@code hash} is this digest's raw hash. */
  public boolean matches(byte[] hash) {
    return Arrays.equals(bytes(), hash);
  }

  @Override
  public String toString() {
    return algorithm.label() + ':' + hex;
  }

  private static boolean isLowerHex(String text) {
    return text.chars().allMatch(c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
  }

  private static String abbreviate(String text) {
    return text.length() <= 80 ? text : text.substring(0, 80) + "…";
  }
}
