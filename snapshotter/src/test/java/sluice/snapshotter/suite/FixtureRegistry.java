package sluice.snapshotter.suite;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.Lane;
import sluice.core.Platform;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.testing.Fixtures;
import sluice.testing.LayoutRangeSource;

/** The fixture {@code reader} as {@code registry.test/reader}; one index more is made of it. */
final class FixtureRegistry implements ImageRegistry, RangeSource {

  static final Platform AMD64 = new Platform("linux", "amd64");

  /** A tag for an index that lists the manifest of {@link Fixtures#SOURCE}. */
  static final String INDEX = "index";

  private static final String INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

  private final Fixtures fixture = Fixtures.of("reader");
  private final LayoutRangeSource blobs = new LayoutRangeSource();
  private List<Digest> diffIds = fixture.diffIds(Fixtures.SOURCE);

  static ImageReference reference(String tag) {
    return ImageReference.parse("registry.test/reader:" + tag);
  }

  /** From now on, the configuration says another diff ID of a layer. */
  void lieAbout(int layer) {
    List<Digest> changed = new ArrayList<>(diffIds);
    changed.set(layer, Digest.sha256(new byte[] {1}));
    diffIds = changed;
  }

  /** How many blobs were opened. */
  long fetches() {
    return blobs.requests();
  }

  @Override
  public Content resolve(ImageReference reference) throws IOException {
    String tag = reference.selector();
    if (!tag.equals(INDEX)) {
      return new Content(fixture.descriptor(tag), fixture.manifest(tag));
    }
    Descriptor manifest = fixture.descriptor(Fixtures.SOURCE);
    Bytes index =
        Bytes.utf8(
            """
            {"schemaVersion":2,"mediaType":"%s","manifests":[{"mediaType":"%s","digest":"%s",\
            "size":%d,"platform":{"os":"linux","architecture":"amd64"}}]}\
            """
                .formatted(
                    INDEX_TYPE, manifest.mediaType(), manifest.digest(), manifest.sizeBytes()));
    Digest digest = Digest.sha256(index.toArray());
    return new Content(new Descriptor(INDEX_TYPE, digest, index.length()), index);
  }

  @Override
  public Content read(Repository repository, Descriptor descriptor) throws IOException {
    byte[] bytes = Files.readAllBytes(fixture.blob(descriptor.digest()));
    return new Content(descriptor, Bytes.of(bytes));
  }

  @Override
  public List<Descriptor> referrers(
      Repository repository, Digest subject, Optional<String> artifactType) {
    return List.of();
  }

  @Override
  public ImageDocument document(Content content) {
    if (!content.descriptor().mediaType().equals(INDEX_TYPE)) {
      return fixture.document(Fixtures.SOURCE);
    }
    Descriptor plain = fixture.descriptor(Fixtures.SOURCE);
    Descriptor manifest =
        new Descriptor(
            plain.mediaType(), plain.digest(), plain.sizeBytes(), Map.of(), List.of(), AMD64, null);
    return new ImageDocument.Index(List.of(manifest), Map.of());
  }

  @Override
  public ImageConfig config(Content content) {
    return new ImageConfig(AMD64, diffIds);
  }

  @Override
  public void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
      throws IOException {
    blobs.read(blob, Set.of(fixture.repository()), offset, into, lane);
  }

  @Override
  public InputStream open(Digest blob, Set<Repository> holders, Lane lane) throws IOException {
    return blobs.open(blob, Set.of(fixture.repository()), lane);
  }
}
