package sluice.snapshotter.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.snapshotter.image.FakeRegistry.AMD64;
import static sluice.snapshotter.image.FakeRegistry.layer;
import static sluice.snapshotter.image.FakeRegistry.marked;
import static sluice.snapshotter.image.FakeRegistry.on;

import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import sluice.core.Bytes;
import sluice.core.ChainId;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.FetchException;
import sluice.core.ImageConfig;
import sluice.core.ImageReference;
import sluice.core.Platform;

final class ImageResolverTest {

  private static final Platform ARM64 = Platform.parse("linux/arm64/v8");
  private static final String TAR = "application/vnd.oci.image.layer.v1.tar";

  private final FakeRegistry registry = new FakeRegistry();
  private static final String VARIANT = "application/vnd.test.variant";

  private final ImageResolver resolver =
      new ImageResolver(registry, LocalContent.NONE, ImageResolverTest::isVariant);
  private final Descriptor amd64 = registry.manifest(AMD64, layer(TAR, "a"), layer(TAR, "b"));
  private final Descriptor arm64 = registry.manifest(ARM64, layer(TAR, "c"));

  private ResolvedImage resolve(Descriptor target) throws IOException, InterruptedException {
    return resolver.resolve(registry.tag("t", target), AMD64);
  }

  @Test
  void resolve_manifest_hasConfigurationAndChainIds() throws Exception {
    ResolvedImage image = resolve(amd64);

    assertThat(image.image().digest()).isEqualTo(amd64.digest());
    assertThat(image.image().chainIds())
        .isEqualTo(ChainId.ofAll(image.image().config().diffIds()))
        .hasSize(2);
    assertThat(image.target().descriptor()).isEqualTo(amd64);
    assertThat(image.variant()).isNull();
  }

  @Test
  void resolve_manifestOfAnotherPlatform_isRefused() {
    assertThatThrownBy(() -> resolve(arm64))
        .isInstanceOf(FetchException.class)
        .hasMessageContaining("nothing for platform linux/amd64; it offers [linux/arm64/v8]");
  }

  @Test
  void resolve_index_takesThePlatform() throws Exception {
    Descriptor index = registry.index(on(ARM64, arm64), on(AMD64, amd64));

    ResolvedImage image = resolve(index);

    assertThat(image.image().digest()).isEqualTo(amd64.digest());
    assertThat(image.target().descriptor()).isEqualTo(index);
  }

  @Test
  void resolve_nestedIndexes_findsTheManifestAndKeepsTheWay() throws Exception {
    Descriptor inner = registry.index(on(AMD64, amd64));
    Descriptor outer = registry.index(on(ARM64, arm64), inner);

    ResolvedImage image = resolve(outer);

    assertThat(image.image().digest()).isEqualTo(amd64.digest());
    assertThat(image.indexes())
        .extracting(content -> content.descriptor().digest())
        .containsExactly(outer.digest(), inner.digest());
  }

  @Test
  void resolve_tooManyNestedIndexes_isCorrupt() {
    Descriptor index = registry.index(on(AMD64, amd64));
    for (int depth = 0; depth < 4; depth++) {
      index = registry.index(index);
    }
    Descriptor deep = index;

    assertThatThrownBy(() -> resolve(deep))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("nested more than 4 deep");
  }

  @Test
  void resolve_descriptorWithoutPlatform_asksItsConfiguration() throws Exception {
    assertThat(resolve(registry.index(arm64, amd64)).image().digest()).isEqualTo(amd64.digest());
  }

  @Test
  void resolve_attestationBesides_isNotTaken() throws Exception {
    Descriptor index =
        registry.index(
            on(new Platform("unknown", "unknown"), arm64),
            marked(arm64, AMD64, "application/vnd.example.signature"),
            on(AMD64, amd64));

    assertThat(resolve(index).image().digest()).isEqualTo(amd64.digest());
  }

  @Test
  void resolve_variantBesides_isTheVariant() throws Exception {
    Descriptor rafs = registry.manifest(AMD64, layer("nydus", "n"));
    Descriptor index = registry.index(marked(rafs, AMD64, VARIANT), on(AMD64, amd64));

    ResolvedImage image = resolve(index);

    assertThat(image.image().digest()).isEqualTo(amd64.digest());
    assertThat(Objects.requireNonNull(image.variant()).digest()).isEqualTo(rafs.digest());
  }

  @Test
  void resolve_onlyVariant_isTheImage() throws Exception {
    Descriptor rafs = registry.manifest(AMD64, layer("nydus", "n"));

    ResolvedImage image = resolve(registry.index(marked(rafs, AMD64, VARIANT), on(ARM64, arm64)));

    assertThat(image.image().digest()).isEqualTo(rafs.digest());
    assertThat(image.variant()).isNull();
  }

  @Test
  void resolve_layersAndDiffIdsDiffer_isCorrupt() {
    Descriptor broken = registry.manifest(new ImageConfig(AMD64, List.of()), layer(TAR, "a"));

    assertThatThrownBy(() -> resolve(broken))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("1 layers")
        .hasMessageContaining("0 diff IDs");
  }

  @Test
  void resolve_manifestChosen_findsItsVariantByTheTag() throws Exception {
    Descriptor rafs = registry.manifest(AMD64, layer("nydus", "n"));
    Descriptor index = registry.index(on(AMD64, amd64), marked(rafs, AMD64, VARIANT));
    ImageReference reference = registry.tag("t", index);

    ResolvedImage image = resolver.resolve(reference, amd64.digest(), null, AMD64);

    assertThat(Objects.requireNonNull(image.variant()).digest()).isEqualTo(rafs.digest());
  }

  @Test
  void resolve_tagMovedMeanwhile_staysWithTheManifestChosen() throws Exception {
    ImageReference reference = registry.tag("t", registry.index(on(ARM64, arm64)));

    ResolvedImage image = resolver.resolve(reference, amd64.digest(), null, AMD64);

    assertThat(image.image().digest()).isEqualTo(amd64.digest());
    assertThat(image.variant()).isNull();
  }

  @Test
  void resolve_indexNamedAsChosen_choosesInIt() throws Exception {
    Descriptor index = registry.index(on(AMD64, amd64));
    ImageReference reference = registry.tag("t", index);

    assertThat(resolver.resolve(reference, index.digest(), null, AMD64).image().digest())
        .isEqualTo(amd64.digest());
  }

  @Test
  void resolve_targetThatIsKnown_isNotAskedByItsTag() throws Exception {
    Descriptor index = registry.index(on(AMD64, amd64));
    ImageReference reference = registry.tag("t", index);

    ResolvedImage image = resolver.resolve(reference, amd64.digest(), index.digest(), AMD64);
    assertThat(image.target().descriptor()).isEqualTo(index);
    assertThat(registry.asked).contains(index.digest().toString()).doesNotContain("t");

    image = resolver.resolve(reference, amd64.digest(), amd64.digest(), AMD64);
    assertThat(image.target().descriptor()).isEqualTo(amd64);
    assertThat(registry.asked).doesNotContain("t");
  }

  @Test
  void resolve_manifestInContainerdsStore_isNotAskedOfTheRegistry() throws Exception {
    // What containerd stores is JSON; the fake's documents are found by digest.
    LocalContent local =
        (namespace, digest) ->
            Optional.of(Bytes.utf8("{\"layers\": []}"))
                .filter(x -> namespace.equals("k8s.io") && digest.equals(amd64.digest()));
    ImageReference reference = new ImageReference(registry.repository, null, amd64.digest());

    new ImageResolver(registry, local, ImageResolverTest::isVariant)
        .in("k8s.io")
        .resolve(reference, amd64.digest(), null, AMD64);

    assertThat(registry.asked).doesNotContain(amd64.digest().toString()).hasSize(1);

    new ImageResolver(registry, local, ImageResolverTest::isVariant)
        .in("other")
        .resolve(reference, amd64.digest(), null, AMD64);

    assertThat(registry.asked).contains(amd64.digest().toString());
  }

  private static boolean isVariant(Descriptor manifest) {
    return VARIANT.equals(manifest.artifactType());
  }
}
