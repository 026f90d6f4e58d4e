package sluice.snapshotter.signature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Bytes;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageReference;

final class SignaturesTest {

  private static final Digest MANIFEST = Digest.sha256(new byte[] {1});
  private static final Digest OTHER = Digest.sha256(new byte[] {2});
  private static final String TAG = "sha256-" + MANIFEST.hex() + ".sig";

  private final MemoryRepository repository = new MemoryRepository();
  private final Map<Path, VerifyingKey> read = new HashMap<>();
  private Instant now = Instant.EPOCH;
  private final Signatures signatures = new Signatures(repository, () -> now);

  @TempDir private Path directory = Path.of("");

  private Path key(String name) throws Exception {
    return new Keys(directory).make(name, Keys.ALGORITHMS.getFirst());
  }

  private ImageReference sign(Digest manifest, Path key) throws Exception {
    return new SignaturePush(repository, repository)
        .push(repository.name, manifest, SigningKey.read(key));
  }

  private Optional<String> refusal(Path... keys) throws Exception {
    List<VerifyingKey> verifying = new ArrayList<>();
    for (Path key : keys) {
      if (!read.containsKey(key)) {
        read.put(key, VerifyingKey.read(Keys.publicKey(key)));
      }
      verifying.add(Objects.requireNonNull(read.get(key)));
    }
    return signatures.refusal(repository.name, MANIFEST, verifying);
  }

  @Test
  void refusal_signed_isNone() throws Exception {
    Path key = key("a");

    assertThat(sign(MANIFEST, key).tag()).isEqualTo(TAG);
    assertThat(refusal(key)).isEmpty();
    assertThat(refusal(key("b"), key)).isEmpty();
  }

  @Test
  void push_second_keepsTheFirst() throws Exception {
    Path first = key("a");
    Path second = key("b");
    sign(MANIFEST, first);
    sign(MANIFEST, second);

    assertThat(refusal(first)).isEmpty();
    assertThat(refusal(second)).isEmpty();
  }

  @Test
  void refusal_noSignature_namesKeyAndTag() throws Exception {
    Path key = key("a");

    assertThat(refusal(key))
        .hasValue(
            "%s is not signed by key %s: there is no registry.example/a/image:%s"
                .formatted(MANIFEST, Keys.publicKey(key), TAG));
  }

  @Test
  void refusal_otherKey_saysSo() throws Exception {
    sign(MANIFEST, key("a"));

    assertThat(refusal(key("b")).orElseThrow()).contains(TAG).endsWith("made by another key");
  }

  @Test
  void refusal_signatureOfAnotherManifest_saysWhich() throws Exception {
    Path key = key("a");
    repository.tags.put(TAG, repository.tags.get(sign(OTHER, key).selector()));

    assertThat(refusal(key).orElseThrow()).endsWith("the signature of another manifest, " + OTHER);
  }

  @Test
  void refusal_changedPayload_isNotSigned() throws Exception {
    Path key = key("a");
    sign(OTHER, key);
    Bytes forged = new SignedPayload(MANIFEST).write(repository.name);
    repository.blobs.replaceAll(
        (digest, blob) -> blob.toString().contains("critical") ? forged : blob);
    repository.tags.put(TAG, repository.tags.get("sha256-" + OTHER.hex() + ".sig"));

    assertThat(refusal(key).orElseThrow()).endsWith("made by another key");
  }

  @Test
  void refusal_whatIsNoSignature_saysWhatWasFound() throws Exception {
    Path key = key("a");
    sign(MANIFEST, key);
    String good = Objects.requireNonNull(repository.tags.get(TAG)).toString();

    assertThat(with(good.replace(SignedPayload.MEDIA_TYPE, "text/plain"), key))
        .endsWith("text/plain, no signature");
    assertThat(with(good.replaceAll("signature\":\"[^\"]*", "signature\":\"***"), key))
        .contains("a signature that is not base64");
    assertThat(
            with(good.replaceAll("signature\":\"[^\"]*", "signature\":\"" + "A".repeat(5000)), key))
        .contains("a signature of 5000 characters (at most 4096)");
    assertThat(
            with(
                good.replaceAll(
                    "simplesigning.v1\\+json\",\"size\":\\d+",
                    "simplesigning.v1+json\",\"size\":99999999"),
                key))
        .contains("a payload of 99999999 bytes (at most 65536)");
    assertThat(with("{\"manifests\":[]}", key))
        .endsWith("an index of manifests, expected a manifest");
    assertThat(
            with(
                "{\"config\":{\"mediaType\":\"x\",\"size\":1,\"digest\":\""
                    + OTHER
                    + "\"},\"layers\":[]}",
                key))
        .endsWith("no signatures");
    assertThat(with("nothing", key)).contains("no JSON");
    repository.blobs.clear();
    assertThat(with(good, key)).contains("404");
  }

  private String with(String document, Path key) throws Exception {
    now = now.plus(Duration.ofHours(1));
    repository.tags.put(TAG, Bytes.utf8(document));
    return refusal(key).orElseThrow();
  }

  @Test
  void refusal_manySignatures_looksAtSome() throws Exception {
    Path key = key("a");
    Path other = key("b");
    for (int i = 0; i < 66; i++) {
      sign(MANIFEST, other);
    }

    assertThat(refusal(key).orElseThrow()).endsWith("2 more are not looked at");
  }

  @Test
  void refusal_askedAgain_isKept() throws Exception {
    Path key = key("a");
    refusal(key);
    refusal(key);
    assertThat(repository.asked).containsExactly(TAG);

    sign(MANIFEST, key);
    repository.asked.clear();
    now = now.plus(Duration.ofMinutes(2));
    assertThat(refusal(key)).isEmpty();
    now = now.plus(Duration.ofDays(9));
    assertThat(refusal(key)).isEmpty();
    assertThat(repository.asked).containsExactly(TAG);
  }

  @Test
  void refusal_registryThatFails_isAskedAgain() throws Exception {
    Path key = key("a");
    sign(MANIFEST, key);
    repository.failure = new FetchException("503", FetchException.Reason.SERVER_ERROR, 503, null);
    assertThatThrownBy(() -> refusal(key)).isInstanceOf(IOException.class).hasMessage("503");

    repository.failure = null;
    assertThat(refusal(key)).isEmpty();
  }

  @Test
  void read_payload_isStrict() {
    assertThat(SignedPayload.MEDIA_TYPE).isNotEmpty();
    assertThatThrownBy(() -> payload("{\"critical\":{\"type\":\"else\"}}"))
        .hasMessageContaining("critical.type \"else\"");
    assertThatThrownBy(() ->
            payload(
                "{\"critical\":{\"type\":\"cosign container image signature\",\"image\":{\"docker-manifest-digest\":\"x\"}}}"))
        .hasMessageContaining("critical.image.docker-manifest-digest");
    assertThatThrownBy(() -> payload("{} {}")).hasMessageContaining("JSON");
    assertThatThrownBy(() -> payload("[1")).hasMessageContaining("JSON");
    assertThatThrownBy(() -> payload("{\"critical\":{},\"critical\":{}}"))
        .hasMessageContaining("JSON");
    assertThatThrownBy(() -> payload("")).isInstanceOf(IOException.class);
  }

  private static SignedPayload payload(String json) throws IOException {
    return SignedPayload.read(Bytes.utf8(json), "payload");
  }
}
