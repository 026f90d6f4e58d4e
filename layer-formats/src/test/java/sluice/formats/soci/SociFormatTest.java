package sluice.formats.soci;

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
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.IndexOrigin;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.Repository;
import sluice.testing.Fixtures;

/** What is asked for, and whose word is taken. */
class SociFormatTest {

  @TempDir Path directory;
  private final Fixtures fixtures = Fixtures.of("small");
  private SociImages images = new SociImages(fixtures, Path.of(""));

  @BeforeEach
  void open() {
    images = new SociImages(fixtures, directory);
  }

  private Recognition recognise(LayerFormat.Layer layer, IndexTrust trust) throws Exception {
    return images.format().recognise(layer, trust);
  }

  private static String refused(Recognition recognition) {
    assertThat(recognition).isInstanceOf(Recognition.Refused.class);
    return ((Recognition.Refused) recognition).reason();
  }

  private static IndexOrigin origin(Recognition recognition) {
    assertThat(recognition).isInstanceOf(Recognition.Tree.class);
    return ((Recognition.Tree) recognition).origin();
  }

  /** A layer of an image whose manifest has these annotations. */
  private LayerFormat.Layer annotated(Map<String, String> annotations) {
    LayerFormat.Layer layer = SociImages.v2(fixtures).getFirst();
    ImageDocument.Manifest of = layer.manifest();
    return new LayerFormat.Layer(
        new LayerFormat.Image(
            layer.image().reference(),
            layer.image().digest(),
            new ImageDocument.Manifest(of.config(), of.layers(), annotations, null, null)),
        0,
        layer.diffId(),
        layer.holders());
  }

  private ImageDocument.Manifest v1() {
    return fixtures
        .listed("sha256-" + fixtures.descriptor(Fixtures.SOURCE).digest().hex())
        .getFirst();
  }

  private static ImageDocument.Manifest with(
      ImageDocument.Manifest manifest, List<Descriptor> layers) {
    return new ImageDocument.Manifest(
        manifest.config(), layers, manifest.annotations(), manifest.subject(), null);
  }

  @Test
  void recognise_v2_saysWhereTheIndexComesFrom() throws Exception {
    List<LayerFormat.Layer> layers = SociImages.v2(fixtures);
    for (LayerFormat.Layer layer : layers) {
      IndexOrigin origin = origin(recognise(layer, SociImages.PINNED));
      assertThat(origin.binding()).isEqualTo(Binding.IMAGE);
      assertThat(origin.place()).startsWith("zTOC of SOCI index sha256:").endsWith("(v2)");
    }
    IndexOrigin first = origin(recognise(layers.getFirst(), SociImages.PINNED));
    assertThat(first.sizeBytes()).isEqualTo(678_960);
    assertThat(first.index()).isEqualTo(ZtocFixtures.all().getFirst().ztoc().digest());
    assertThat(first.manifest())
        .isEqualTo(fixtures.listedDescriptors(ZtocFixtures.V2).getLast().digest());
    assertThat(images.registry().asked()).hasSize(1);
    assertThat(images.source().requests()).isZero();
  }

  @Test
  void recognise_v1_isOfAReferrer() throws Exception {
    for (LayerFormat.Layer layer : SociImages.v1(fixtures)) {
      IndexOrigin origin = origin(recognise(layer, SociImages.ALL));
      assertThat(origin.binding()).isEqualTo(Binding.REFERRER);
      assertThat(origin.place()).endsWith("(v1)");
    }
    assertThat(images.registry().asked()).hasSize(2);
  }

  @Test
  void recognise_referrersNotTrusted_asksNobody() throws Exception {
    String reason = refused(recognise(SociImages.v1(fixtures).getFirst(), SociImages.PINNED));
    assertThat(reason).contains("referrers").contains("nobody trusts referrers here");
    assertThat(images.registry().asked()).isEmpty();
  }

  @Test
  void recognise_imageNotTrusted_asksNobody() throws Exception {
    IndexTrust none = (layer, binding) -> Optional.of("nobody is trusted here");
    assertThat(refused(recognise(SociImages.v2(fixtures).getFirst(), none)))
        .contains("SOCI index sha256:")
        .contains("nobody is trusted here");
    assertThat(images.registry().asked()).isEmpty();
  }

  @Test
  void recognise_noReferrer_isForeign() throws Exception {
    LayerFormat.Layer layer = annotated(Map.of());
    assertThat(recognise(layer, SociImages.ALL)).isInstanceOf(Recognition.Foreign.class);
    assertThat(recognise(layer, SociImages.ALL)).isInstanceOf(Recognition.Foreign.class);
    assertThat(images.registry().asked()).hasSize(1);
  }

  @Test
  void recognise_severalReferrers_takesTheFirstThatIsGood() throws Exception {
    ImageDocument.Manifest good = v1();
    ImageDocument.Manifest v2 = fixtures.listed(ZtocFixtures.V2).getLast();
    SociRegistry registry = images.registry();
    registry.addReferrer(Digest.sha256(new byte[] {1, 2, 3}));
    registry.addReferrer(registry.add(new ImageDocument.Index(List.of(), Map.of())));
    registry.addReferrer(registry.add(v2));
    registry.addReferrer(registry.add(with(good, good.layers().subList(1, 2))));
    LayerFormat.Layer first = SociImages.v1(fixtures).getFirst();

    assertThat(origin(recognise(first, SociImages.ALL)).index())
        .isEqualTo(good.layers().getFirst().digest());
    assertThat(registry.asked()).hasSize(6);

    Digest trusted = good.layers().get(1).digest();
    IndexTrust other =
        new IndexTrust() {
          @Override
          public Optional<String> refusal(LayerFormat.Layer layer, Binding binding) {
            return Optional.empty();
          }

          @Override
          public Optional<String> refusal(LayerFormat.Layer layer, IndexOrigin origin) {
            return trusted.equals(origin.index())
                ? Optional.empty()
                : Optional.of("signed by a stranger");
          }
        };
    String reason = refused(recognise(first, other));
    assertThat(reason)
        .contains("manifest sha256:")
        .contains("an index of manifests, expected a manifest")
        .contains("its configuration is of type application/vnd.amazon.soci.index.v2+json")
        .contains("has no zTOC for this layer")
        .contains("is not used: signed by a stranger");
    assertThat(origin(recognise(SociImages.v1(fixtures).get(1), other)).index()).isEqualTo(trusted);
  }

  @Test
  void recognise_manyReferrers_looksAtAFewOnly() throws Exception {
    SociRegistry registry = images.registry();
    for (int i = 0; i < 100; i++) {
      registry.addReferrer(registry.add(with(v1(), List.of())));
    }
    assertThat(refused(recognise(SociImages.v1(fixtures).getFirst(), SociImages.ALL)))
        .contains("85 more are not looked at");
    assertThat(registry.asked()).hasSizeLessThan(20);
  }

  @Test
  void recognise_layerWithoutZtoc_isRefusedWithTheReason() throws Exception {
    Fixtures reader = Fixtures.of("reader");
    images = new SociImages(reader, directory);
    List<LayerFormat.Layer> layers = SociImages.v2(reader);
    assertThat(refused(recognise(layers.getFirst(), SociImages.PINNED)))
        .startsWith("SOCI index sha256:")
        .endsWith("has no zTOC for this layer");
    assertThat(origin(recognise(layers.getLast(), SociImages.PINNED)).binding())
        .isEqualTo(Binding.IMAGE);
  }

  @Test
  void recognise_badAnnotation_isRefused() throws Exception {
    String key = "com.amazon.soci.index-digest";
    assertThat(refused(recognise(annotated(Map.of(key, "../x")), SociImages.PINNED)))
        .contains(key)
        .contains("../x");
    LayerFormat.Layer gone = annotated(Map.of(key, Digest.sha256(new byte[0]).toString()));
    assertThatThrownBy(() -> recognise(gone, SociImages.PINNED)).isInstanceOf(FetchException.class);
    LayerFormat.Layer other = annotated(Map.of(key, images.registry().add(v1()).toString()));
    assertThatThrownBy(() -> recognise(other, SociImages.PINNED))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("index.v1+json, expected application/vnd.amazon.soci.index.v2")
        .hasMessageContaining("for layer " + other.descriptor().digest());
  }

  @Test
  void recognise_hugeZtoc_isRefused() throws Exception {
    List<Descriptor> layers = new ArrayList<>();
    for (Descriptor layer : v1().layers()) {
      layers.add(
          new Descriptor(
              layer.mediaType(),
              layer.digest(),
              Ztoc.MAX_BYTES + 1,
              new HashMap<>(layer.annotations()),
              List.of(),
              null,
              null));
    }
    images.registry().addReferrer(images.registry().add(with(v1(), layers)));
    Recognition recognition = recognise(SociImages.v1(fixtures).getFirst(), SociImages.ALL);
    // The fixture's own index comes next.
    assertThat(origin(recognition).sizeBytes()).isEqualTo(678_960);
  }

  /** A registry whose referrers are what the test says. */
  private record Referrers(ImageRegistry documents, Callable<List<Descriptor>> answer)
      implements ImageRegistry {
    @Override
    public List<Descriptor> referrers(Repository repository, Digest subject, Optional<String> type)
        throws IOException, InterruptedException {
      try {
        return answer.call();
      } catch (IOException | InterruptedException | RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public Content resolve(ImageReference reference) throws IOException, InterruptedException {
      return documents.resolve(reference);
    }

    @Override
    public Content read(Repository repository, Descriptor descriptor)
        throws IOException, InterruptedException {
      return documents.read(repository, descriptor);
    }

    @Override
    public ImageDocument document(Content content) throws IOException {
      return documents.document(content);
    }

    @Override
    public ImageConfig config(Content content) throws IOException {
      return documents.config(content);
    }
  }

  private SociFormat format(Duration patience, Callable<List<Descriptor>> referrers) {
    return new SociFormat(
        images.source(),
        new Referrers(images.registry(), referrers),
        () -> Instant.EPOCH,
        null,
        patience);
  }

  @Test
  void recognise_registryThatHangs_leavesTheNextFormatItsTime() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    CountDownLatch never = new CountDownLatch(1);
    SociFormat format =
        format(
            Duration.ofMillis(20),
            () -> {
              asked.incrementAndGet();
              never.await();
              return List.of();
            });
    for (LayerFormat.Layer layer : SociImages.v1(fixtures)) {
      assertThat(refused(format.recognise(layer, SociImages.ALL)))
          .startsWith("no index among the referrers of " + layer.image().digest())
          .contains("was found within");
    }
    assertThat(asked).as("for all layers").hasValue(1);
  }

  @Test
  void recognise_registryThatFails_isAskedOnceForAllLayers() {
    AtomicInteger asked = new AtomicInteger();
    SociFormat format =
        format(
            Duration.ofMinutes(1),
            () -> {
              asked.incrementAndGet();
              throw new FetchException("503", FetchException.Reason.SERVER_ERROR, 503, null);
            });
    for (LayerFormat.Layer layer : SociImages.v1(fixtures)) {
      assertThatThrownBy(() -> format.recognise(layer, SociImages.ALL)).hasMessage("503");
    }
    assertThat(asked).hasValue(1);
  }
}
