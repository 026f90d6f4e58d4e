package sluice.snapshotter.signature;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.core.Repository;

/** Any bytes as a key, a signature and what is signed: taken or refused, and nothing else. */
class SignatureFuzzTest {

  private static final Path FILE = Path.of("fuzzed.pub");
  private static final Bytes CONTENT = Bytes.utf8("{\"what\":\"is signed\"}");
  private static final List<KeyPair> PAIRS = pairs();

  private static List<KeyPair> pairs() {
    try {
      KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA");
      rsa.initialize(2048);
      KeyPairGenerator ecdsa = KeyPairGenerator.getInstance("EC");
      ecdsa.initialize(256);
      return List.of(
          ecdsa.generateKeyPair(),
          KeyPairGenerator.getInstance("Ed25519").generateKeyPair(),
          rsa.generateKeyPair());
    } catch (GeneralSecurityException e) {
      throw new AssertionError("each JDK has them", e);
    }
  }

  static Stream<byte[]> texts() {
    Stream<String> keys =
        PAIRS.stream()
            .map(pair -> Base64.getMimeEncoder().encodeToString(pair.getPublic().getEncoded()))
            .map(base64 ->
                "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n".formatted(base64));
    Stream<String> others =
        Stream.of(
            "",
            "-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----",
            "-----BEGIN A-----\nAA==\n-----END A----------BEGIN A-----\nAA==\n-----END A-----",
            "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----");
    return Stream.concat(keys, others).map(text -> text.getBytes(ISO_8859_1));
  }

  @MethodSource("texts")
  @FuzzTest(maxDuration = "10m")
  void parse_anyText(byte[] text) {
    try {
      Pem.parse(new String(text, ISO_8859_1), FILE, "PUBLIC KEY", "advice");
    } catch (IOException e) {
      assertThat(e).hasMessageStartingWith("key " + FILE);
    }
  }

  static Stream<byte[]> encodedKeys() {
    return PAIRS.stream()
        .flatMap(pair -> Stream.of(pair.getPublic().getEncoded(), pair.getPrivate().getEncoded()));
  }

  /** A public key that is taken can be asked, and a private one signs or says why not. */
  @MethodSource("encodedKeys")
  @FuzzTest(maxDuration = "10m")
  void of_anyKey(byte[] encoded) {
    byte[] signature = new byte[64];
    try {
      assertThat(VerifyingKey.of(FILE, encoded).hasSigned(CONTENT, signature)).isFalse();
    } catch (IOException e) {
      assertThat(e).hasMessageStartingWith("key " + FILE);
    }
    try {
      assertThat(SigningKey.of(FILE, encoded).sign(CONTENT)).isNotEmpty();
    } catch (IOException e) {
      assertThat(e.getMessage()).contains("key");
    }
  }

  static Stream<byte[]> signatures() throws IOException {
    List<byte[]> seeds = new ArrayList<>(List.of(new byte[0], new byte[64], new byte[256]));
    for (KeyPair pair : PAIRS) {
      seeds.add(SigningKey.of(FILE, pair.getPrivate().getEncoded()).sign(Bytes.utf8("other")));
    }
    return seeds.stream();
  }

  @MethodSource("signatures")
  @FuzzTest(maxDuration = "10m")
  void hasSigned_anySignature(byte[] signature) throws IOException {
    for (KeyPair pair : PAIRS) {
      VerifyingKey key = VerifyingKey.of(FILE, pair.getPublic().getEncoded());
      assertThat(key.hasSigned(CONTENT, signature)).isFalse();
    }
  }

  static Stream<byte[]> payloads() {
    Repository repository = new Repository.InRegistry("registry.example", "a/image");
    String written = new SignedPayload(Digest.sha256(new byte[0])).write(repository).toString();
    String noUnicode = "\0" + "1\0\0";
    return Stream.of(
            "",
            noUnicode,
            "{}",
            "[[[[",
            "{\"critical\":{\"type\":1,\"image\":[]}}",
            "{} {}",
            written)
        .map(text -> text.getBytes(UTF_8));
  }

  @MethodSource("payloads")
  @FuzzTest(maxDuration = "10m")
  void read_anyPayload(byte[] json) {
    try {
      assertThat(SignedPayload.read(Bytes.of(json), "payload x").manifest()).isNotNull();
    } catch (CorruptException e) {
      assertThat(e).hasMessageContaining("resource=payload x");
    }
  }
}
