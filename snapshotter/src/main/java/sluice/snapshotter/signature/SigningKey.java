package sluice.snapshotter.signature;

import java.io.IOException;
import java.nio.file.Path;
import java.security.InvalidKeyException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.PKCS8EncodedKeySpec;
import sluice.core.Bytes;

/** A private key. */
public final class SigningKey {

  private static final String LABEL = "PRIVATE KEY";
  private static final String ADVICE =
      "`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` writes such a file; with an"
          + " encrypted key sign by `cosign sign --key`";

  private final KeyType.Typed<PrivateKey> key;

  private SigningKey(KeyType.Typed<PrivateKey> key) {
    this.key = key;
  }

  /**
   * Reads a PEM file with a PKCS #8 key that is not encrypted (RFC 7468, section 10).
   *
   * @throws IOException if it is not there, or is none of a type that is known; the message says
   *     what was found and what is expected
   */
  public static SigningKey read(Path file) throws IOException {
    return of(file, Pem.read(file, LABEL, ADVICE));
  }

  /** The key of which {@code file} holds this PrivateKeyInfo. */
  static SigningKey of(Path file, byte[] encoded) throws IOException {
    return new SigningKey(
        KeyType.read(
                new PKCS8EncodedKeySpec(encoded), (factory, spec) -> factory.generatePrivate(spec))
            .orElseThrow(() -> Pem.wrong(file, "a key that is not " + KeyType.ALL, LABEL, ADVICE)));
  }

  byte[] sign(Bytes content) throws IOException {
    Signature signature = key.type().signature();
    try {
      signature.initSign(key.key());
      signature.update(content.asBuffer());
      return signature.sign();
    } catch (InvalidKeyException | SignatureException e) {
      throw new IOException("the key cannot sign: " + e.getMessage(), e);
    }
  }
}
