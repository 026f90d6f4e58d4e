package sluice.snapshotter.signature;

import java.io.IOException;
import java.nio.file.Path;
import java.security.InvalidKeyException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.X509EncodedKeySpec;
import sluice.core.Bytes;

/** A public key, by which a signature is known. Immutable. */
public final class VerifyingKey {

  private static final String LABEL = "PUBLIC KEY";
  private static final String ADVICE =
      "`cosign public-key --key FILE` and `openssl pkey -pubout` write such a file";

  private final Path file;
  private final KeyType.Typed<PublicKey> key;

  private VerifyingKey(Path file, KeyType.Typed<PublicKey> key) {
    this.file = file;
    this.key = key;
  }

  /**
   * Reads a PEM file with a SubjectPublicKeyInfo (RFC 7468, section 13).
   *
   * @throws IOException if it is not there, or is none of a type that is known; the message says
   *     what was found and what is expected
   */
  public static VerifyingKey read(Path file) throws IOException {
    return of(file, Pem.read(file, LABEL, ADVICE));
  }

  /** The key of which {@code file} holds this SubjectPublicKeyInfo. */
  static VerifyingKey of(Path file, byte[] encoded) throws IOException {
    KeyType.Typed<PublicKey> key =
        KeyType.read(
                new X509EncodedKeySpec(encoded), (factory, spec) -> factory.generatePublic(spec))
            .orElseThrow(() -> Pem.wrong(file, "a key that is not " + KeyType.ALL, LABEL, ADVICE));
    try {
      // Some are refused only here: points that are not on the curve.
      key.type().signature().initVerify(key.key());
    } catch (InvalidKeyException e) {
      throw Pem.wrong(file, "a key of no use: " + e.getMessage(), LABEL, ADVICE);
    }
    return new VerifyingKey(file, key);
  }

  /** Whether the owner of the key has signed these bytes. */
  boolean hasSigned(Bytes signed, byte[] signature) {
    Signature check = key.type().signature();
    try {
      check.initVerify(key.key());
      check.update(signed.asBuffer());
      return check.verify(signature);
    } catch (SignatureException notEvenOne) {
      return false;
    } catch (InvalidKeyException e) {
      throw new AssertionError("the key was of use when it was read: " + file, e);
    }
  }

  /** Where the key lies. */
  @Override
  public String toString() {
    return file.toString();
  }
}
