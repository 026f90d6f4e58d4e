package sluice.snapshotter.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.IndexOrigin;
import sluice.core.IndexOrigin.Binding;
import sluice.core.LayerFormat;
import sluice.core.Repository;
import sluice.snapshotter.signature.Keys;
import sluice.snapshotter.signature.MemoryRepository;
import sluice.snapshotter.signature.SignaturePush;
import sluice.snapshotter.signature.Signatures;
import sluice.snapshotter.signature.SigningKey;
import sluice.snapshotter.signature.VerifyingKey;

final class ConfiguredTrustTest {

  private static final Digest SIGNED = digest("signed");
  private static final Digest UNSIGNED = digest("unsigned");
  private static final Repository OTHER = new Repository.InRegistry("other.example", "a/image");

  @TempDir private Path directory = Path.of("");
  private final MemoryRepository repository = new MemoryRepository();
  private @Nullable VerifyingKey key;

  /** One manifest has a signature. */
  @BeforeEach
  void sign() throws Exception {
    Path made = new Keys(directory).make("a", Keys.ALGORITHMS.getFirst());
    key = VerifyingKey.read(Keys.publicKey(made));
    new SignaturePush(repository, repository).push(repository.name, SIGNED, SigningKey.read(made));
    repository.asked.clear();
  }

  private static Digest digest(String text) {
    return Digest.sha256(text.getBytes(StandardCharsets.UTF_8));
  }

  /** What a setting may say: of the registry that holds the layer, of another one, of a key. */
  private TrustPolicy policy(String setting) {
    return switch (setting) {
      case "allow" -> new TrustPolicy.Allow();
      case "deny" -> new TrustPolicy.Deny();
      case "here" -> new TrustPolicy.Named(Set.of("registry.example"), List.of());
      case "other" -> new TrustPolicy.Named(Set.of("other.example"), List.of());
      case "key" -> new TrustPolicy.Named(Set.of(), keys());
      case "here+key" -> new TrustPolicy.Named(Set.of("registry.example"), keys());
      default -> throw new IllegalArgumentException(setting);
    };
  }

  private List<VerifyingKey> keys() {
    return Optional.ofNullable(key).stream().toList();
  }

  private ConfiguredTrust trust(String diffIds, String referrers, String unpinned) {
    return new ConfiguredTrust(
        policy(diffIds),
        policy(referrers),
        policy(unpinned),
        new Signatures(repository, () -> Instant.EPOCH));
  }

  private LayerFormat.Layer layer(Repository... more) {
    Descriptor descriptor =
        new Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", digest("layer"), 5);
    Set<Repository> holders = new LinkedHashSet<>(List.of(repository.name));
    holders.addAll(List.of(more));
    return new LayerFormat.Layer(
        new LayerFormat.Image(
            new ImageReference(repository.name, "1", null),
            digest("image"),
            new ImageDocument.Manifest(descriptor, List.of(descriptor), Map.of(), null, null)),
        0,
        digest("diff"),
        holders);
  }

  private static IndexOrigin origin(Binding binding, @Nullable Digest manifest) {
    return new IndexOrigin(binding, "somewhere", 1, digest("index"), manifest);
  }

  @ParameterizedTest
  @CsvSource({
    "LAYER,    deny,  deny,  deny,  none",
    "IMAGE,    allow, deny,  deny,  none",
    "IMAGE,    here,  deny,  deny,  none",
    "IMAGE,    other, allow, allow, trust.unverified_diff_ids",
    "IMAGE,    deny,  allow, allow, trust.unverified_diff_ids",
    "REFERRER, allow, allow, deny,  none",
    "REFERRER, here,  here,  deny,  none",
    "REFERRER, allow, other, allow, trust.referrers",
    "REFERRER, allow, deny,  allow, trust.referrers",
    "REFERRER, deny,  allow, allow, trust.unverified_diff_ids",
    "NOTHING,  allow, deny,  allow, none",
    "NOTHING,  here,  deny,  here,  none",
    "NOTHING,  allow, allow, other, trust.unpinned_indexes",
    "NOTHING,  allow, allow, deny,  trust.unpinned_indexes",
    "NOTHING,  deny,  allow, allow, trust.unverified_diff_ids"
  })
  void refusal_namesTheSettingThatRefuses(
      Binding binding, String diffIds, String referrers, String unpinned, String setting)
      throws Exception {
    ConfiguredTrust trust = trust(diffIds, referrers, unpinned);
    Optional<String> expected =
        setting.equals("none")
            ? Optional.empty()
            : Optional.of(
                "%s does not name registry.example: add \"registry.example\"%s to it"
                    .formatted(setting, setting.equals("trust.referrers") ? ", or a key," : ""));
    assertThat(trust.refusal(layer(), binding)).isEqualTo(expected);
    assertThat(trust.refusal(layer(), origin(binding, SIGNED))).isEqualTo(expected);
    assertThat(repository.asked).as("no signature is asked for").isEmpty();
  }

  @Test
  void refusal_oneHolderThatIsNotNamed_isEnough() {
    assertThat(trust("here", "deny", "deny").refusal(layer(OTHER), Binding.IMAGE))
        .hasValue(
            "trust.unverified_diff_ids does not name other.example: add \"other.example\" to it");
  }

  @Test
  void refusal_ofReferrersWithAKey_isAQuestionOfTheirSignatures() throws Exception {
    ConfiguredTrust trust = trust("allow", "key", "deny");
    assertThat(trust.refusal(layer(), Binding.REFERRER)).as("they are searched for").isEmpty();
    assertThat(trust.refusal(layer(), origin(Binding.REFERRER, SIGNED))).isEmpty();
    assertThat(trust.refusal(layer(), origin(Binding.REFERRER, UNSIGNED)).orElseThrow())
        .contains("trust.referrers does not name registry.example, and ")
        .contains(UNSIGNED + " is not signed by");
    assertThat(trust.refusal(layer(), origin(Binding.REFERRER, null)).orElseThrow())
        .contains("no manifest leads to the index");
  }

  @Test
  void refusal_ofUnpinnedWithAKey_isAQuestionOfWhatLeadsToThem() throws Exception {
    ConfiguredTrust trust = trust("allow", "deny", "key");
    assertThat(trust.refusal(layer(), Binding.NOTHING)).as("they are searched for").isEmpty();
    assertThat(trust.refusal(layer(), origin(Binding.NOTHING, SIGNED))).isEmpty();
    assertThat(trust.refusal(layer(), origin(Binding.NOTHING, UNSIGNED)).orElseThrow())
        .contains("trust.unpinned_indexes does not name registry.example, and ")
        .contains(UNSIGNED + " is not signed by");
    assertThat(trust.refusal(layer(), origin(Binding.NOTHING, null)).orElseThrow())
        .contains("no manifest leads to the index");
  }

  @Test
  void refusal_keyBesideTheRegistry_isNotAsked() throws Exception {
    ConfiguredTrust trust = trust("allow", "here+key", "deny");
    assertThat(trust.refusal(layer(), origin(Binding.REFERRER, UNSIGNED))).isEmpty();
    assertThat(repository.asked).isEmpty();
  }
}
