package sluice.formats.soci;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.Repository;
import sluice.formats.soci.SociIndex.Version;
import sluice.testing.Fixtures;

/** The documents of a fixture, and others that a test adds; says what it was asked for. */
final class SociRegistry implements ImageRegistry {

  private final Fixtures fixtures;
  private final Map<Digest, ImageDocument> added = new HashMap<>();
  private final List<Descriptor> first = new ArrayList<>();
  private final List<String> asked = new ArrayList<>();

  SociRegistry(Fixtures fixtures) {
    this.fixtures = fixtures;
  }

  /** What was asked for, in that order. */
  List<String> asked() {
    return asked;
  }

  /** Adds a document under a digest that need not be its own. */
  Digest add(ImageDocument document) {
    Digest digest = Digest.sha256(new byte[] {(byte) added.size()});
    added.put(digest, document);
    return digest;
  }

  /** Adds a referrer of every image, before those of the fixture. */
  void addReferrer(Digest digest) {
    first.add(
        new Descriptor(
            "application/vnd.oci.image.manifest.v1+json",
            digest,
            2,
            Map.of(),
            List.of(),
            null,
            Version.V1.type()));
  }

  @Override
  public Content resolve(ImageReference reference) throws IOException {
    Digest digest = Objects.requireNonNull(reference.digest());
    asked.add("manifest " + digest);
    if (added.containsKey(digest)) {
      return new Content(new Descriptor("added", digest, 0), Bytes.EMPTY);
    }
    if (!Files.exists(fixtures.blob(digest))) {
      throw new FetchException("manifest " + digest, FetchException.Reason.NOT_FOUND, 404, null);
    }
    return new Content(
        new Descriptor("application/vnd.oci.image.manifest.v1+json", digest, 1), Bytes.EMPTY);
  }

  @Override
  public ImageDocument document(Content content) {
    Digest digest = content.descriptor().digest();
    ImageDocument document = added.get(digest);
    return document == null ? fixtures.document(digest) : document;
  }

  @Override
  public List<Descriptor> referrers(
      Repository repository, Digest subject, Optional<String> artifactType) {
    asked.add("referrers " + subject);
    List<Descriptor> found = new ArrayList<>(first);
    String tag = "sha256-" + subject.hex();
    if (fixtures.tags().containsKey(tag)) {
      for (ImageDocument.Manifest manifest : fixtures.listed(tag)) {
        assertIndex(manifest, artifactType);
      }
      found.addAll(fixtures.listedDescriptors(tag));
    }
    return found;
  }

  private static void assertIndex(ImageDocument.Manifest manifest, Optional<String> artifactType) {
    if (!artifactType.equals(Optional.of(manifest.config().mediaType()))) {
      throw new AssertionError(artifactType + " asked for, there is only " + manifest);
    }
  }

  @Override
  public Content read(Repository repository, Descriptor descriptor) {
    throw new AssertionError("what has a digest and no size is resolved");
  }

  @Override
  public ImageConfig config(Content content) {
    throw new AssertionError("an index's configuration holds nothing");
  }
}
