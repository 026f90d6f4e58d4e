package sluice.formats.toc;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.Repository;
import sluice.testing.Fixtures;

/** Manifests of fixtures by tag, and a count of how many were asked for. */
public final class LayoutDocuments implements ImageRegistry {

  private final AtomicLong requests = new AtomicLong();
  private final Map<ImageReference, ImageReference> pointed = new ConcurrentHashMap<>();

  /** Lets a name lead to a fixture's tag. */
  public void point(ImageReference reference, Fixtures fixture, String tag) {
    pointed.put(reference, new ImageReference(fixture.repository(), tag, null));
  }

  /** How many manifests were asked for. */
  public long requests() {
    return requests.get();
  }

  @Override
  public Content resolve(ImageReference reference) throws IOException {
    requests.incrementAndGet();
    ImageReference tagged = pointed.getOrDefault(reference, reference);
    Fixtures fixture = fixture(tagged.repository());
    String tag = Objects.requireNonNull(tagged.tag());
    if (!fixture.tags().containsKey(tag)) {
      throw new FetchException(
          reference + " is not there", FetchException.Reason.NOT_FOUND, 404, null);
    }
    return new Content(fixture.descriptor(tag), fixture.manifest(tag));
  }

  private static Fixtures fixture(Repository repository) {
    if (repository instanceof Repository.InLayout(var directory)) {
      return Fixtures.of(directory.getFileName().toString());
    }
    throw new AssertionError(repository);
  }

  @Override
  public ImageDocument document(Content content) {
    for (String image : Fixtures.IMAGES) {
      Fixtures fixture = Fixtures.of(image);
      for (var tag : fixture.tags().entrySet()) {
        if (tag.getValue().digest().equals(content.descriptor().digest())) {
          return fixture.document(tag.getKey());
        }
      }
    }
    throw new AssertionError(content);
  }

  @Override
  public Content read(Repository repository, Descriptor descriptor) {
    throw new AssertionError("no format reads an index here");
  }

  @Override
  public List<Descriptor> referrers(
      Repository repository, Digest subject, Optional<String> artifactType) {
    throw new AssertionError("no TOC is a referrer");
  }

  @Override
  public ImageConfig config(Content content) {
    throw new AssertionError("no format reads configurations");
  }
}
