package sluice.snapshotter.signature;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.Signature;
import java.security.interfaces.ECKey;
import java.security.interfaces.RSAKey;
import java.security.spec.KeySpec;
import java.util.Optional;

/** The kinds of keys that cosign signs with, and how. */
enum KeyType {
  ECDSA("EC", "SHA256withECDSA"),
  ED25519("Ed25519", "Ed25519"),
  RSA("RSA", "SHA256withRSA");

  /** What all of them are, for messages. */
  static final String ALL = "ECDSA on P-256, Ed25519, or RSA of 2048 bits or more";

  private static final int P256_BITS = 256;
  private static final int LEAST_RSA_BITS = 2048;

  private final String keys;
  private final String signatures;

  KeyType(String keys, String signatures) {
    this.keys = keys;
    this.signatures = signatures;
  }

  /** Reads a key of one type. */
  interface Reader<K> {
    K read(KeyFactory factory, KeySpec spec) throws GeneralSecurityException;
  }

  /** A key with its type. */
  record Typed<K>(KeyType type, K key) {}

  /** The key, of whatever type it is; empty if it is of none, or too weak. */
  static <K> Optional<Typed<K>> read(KeySpec spec, Reader<K> reader) {
    for (KeyType type : values()) {
      try {
        K key = reader.read(KeyFactory.getInstance(type.keys), spec);
        return strong(key) ? Optional.of(new Typed<>(type, key)) : Optional.empty();
      } catch (NoSuchAlgorithmException e) {
        throw new AssertionError("each JDK has " + type.keys, e);
      } catch (GeneralSecurityException _) {
        // A key of another type, or none.
      }
    }
    return Optional.empty();
  }

  private static boolean strong(Object key) {
    return switch (key) {
      case RSAKey rsa -> rsa.getModulus().bitLength() >= LEAST_RSA_BITS;
      case ECKey ec -> ec.getParams().getOrder().bitLength() == P256_BITS;
      default -> true;
    };
  }

  Signature signature() {
    try {
      return Signature.getInstance(signatures);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("each JDK has " + signatures, e);
    }
  }
}
