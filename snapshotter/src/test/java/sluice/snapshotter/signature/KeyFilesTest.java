package sluice.snapshotter.signature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.Bytes;

final class KeyFilesTest {

  private static final Bytes CONTENT = Bytes.utf8("{\"what\":\"is signed\"}");

  @TempDir private Path directory = Path.of("");

  static List<List<String>> algorithms() {
    return Keys.ALGORITHMS;
  }

  @ParameterizedTest
  @MethodSource("algorithms")
  void hasSigned_whatOpensslSigned_isTrue(List<String> algorithm) throws Exception {
    Path key = new Keys(directory).make("k", algorithm);
    Path content = Files.write(directory.resolve("content"), CONTENT.toArray());
    Path signature = directory.resolve("signature");
    if (algorithm.contains("ED25519")) {
      Keys.openssl(
          "pkeyutl",
          List.of("-sign", "-rawin", "-inkey", key.toString()),
          "-in",
          content.toString(),
          "-out",
          signature.toString());
    } else {
      Keys.openssl(
          "dgst",
          List.of("-sha256", "-sign", key.toString()),
          "-out",
          signature.toString(),
          content.toString());
    }
    VerifyingKey verifying = VerifyingKey.read(Keys.publicKey(key));

    assertThat(verifying.hasSigned(CONTENT, Files.readAllBytes(signature))).isTrue();
    assertThat(verifying.hasSigned(Bytes.utf8("other"), Files.readAllBytes(signature))).isFalse();
    assertThat(verifying.hasSigned(CONTENT, new byte[] {1, 2, 3})).isFalse();
    assertThat(verifying.hasSigned(CONTENT, new byte[0])).isFalse();
  }

  @ParameterizedTest
  @MethodSource("algorithms")
  void sign_isVerifiedByOpenssl(List<String> algorithm) throws Exception {
    Path key = new Keys(directory).make("k", algorithm);
    Path content = Files.write(directory.resolve("content"), CONTENT.toArray());
    Path signature =
        Files.write(directory.resolve("signature"), SigningKey.read(key).sign(CONTENT));
    String publicKey = Keys.publicKey(key).toString();

    if (algorithm.contains("ED25519")) {
      Keys.openssl(
          "pkeyutl",
          List.of("-verify", "-rawin", "-pubin", "-inkey", publicKey),
          "-in",
          content.toString(),
          "-sigfile",
          signature.toString());
    } else {
      Keys.openssl(
          "dgst",
          List.of("-sha256", "-verify", publicKey),
          "-signature",
          signature.toString(),
          content.toString());
    }
  }

  @Test
  void read_privateKeyForPublicOne_saysWhatIsExpected() throws Exception {
    Path key = new Keys(directory).make("k", Keys.ALGORITHMS.getFirst());

    assertThatThrownBy(() -> VerifyingKey.read(key))
        .hasMessageContaining(key + ": found a PEM block \"PRIVATE KEY\"")
        .hasMessageContaining("expected one \"-----BEGIN PUBLIC KEY-----\"")
        .hasMessageContaining("openssl pkey -pubout");
    assertThatThrownBy(() -> SigningKey.read(Keys.publicKey(key)))
        .hasMessageContaining("found a PEM block \"PUBLIC KEY\"");
  }

  @Test
  void read_noKey_saysSo() throws Exception {
    Path missing = directory.resolve("missing.pub");
    Path text = Files.writeString(directory.resolve("text"), "no key");
    Path large = Files.write(directory.resolve("large"), new byte[70_000]);
    Path noBase64 =
        Files.writeString(
            directory.resolve("none"),
            "-----BEGIN PUBLIC KEY-----\nMFk\n-----END PUBLIC KEY-----\n");

    assertThatThrownBy(() -> VerifyingKey.read(missing)).hasMessageEndingWith("no such file");
    assertThatThrownBy(() -> VerifyingKey.read(text)).hasMessageContaining("no PEM block in its 6");
    assertThatThrownBy(() -> VerifyingKey.read(large))
        .hasMessageContaining("more than 65536 bytes");
    assertThatThrownBy(() -> VerifyingKey.read(noBase64)).hasMessageContaining("expected one");
  }

  @Test
  void read_twoKeys_isRefused() throws Exception {
    Path key = Keys.publicKey(new Keys(directory).make("k", Keys.ALGORITHMS.getFirst()));
    Files.writeString(key, Files.readString(key) + Files.readString(key));

    assertThatThrownBy(() -> VerifyingKey.read(key))
        .hasMessageContaining("more than one PEM block");
  }

  @Test
  void read_otherCurveAndWeakKey_isRefused() throws Exception {
    Keys keys = new Keys(directory);
    Path p384 =
        keys.make("p384", List.of("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"));
    Path weak = keys.make("weak", List.of("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"));

    assertThatThrownBy(() -> VerifyingKey.read(Keys.publicKey(p384)))
        .hasMessageContaining("a key that is not ECDSA on P-256, Ed25519, or RSA of 2048");
    assertThatThrownBy(() -> SigningKey.read(weak)).hasMessageContaining("a key that is not");
  }

  @Test
  void read_keyThatIsCut_isRefused() throws Exception {
    Path key = Keys.publicKey(new Keys(directory).make("k", Keys.ALGORITHMS.getFirst()));
    String pem = Files.readString(key);
    int end = pem.indexOf("\n-----END");
    Files.writeString(key, pem.substring(0, end - 8) + pem.substring(end));

    assertThatThrownBy(() -> VerifyingKey.read(key)).hasMessageContaining("a key that is not");
  }
}
