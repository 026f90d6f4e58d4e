package sluice.snapshotter.image;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.Repository;

/**
 * A registry that is not asked for what containerd has already: what is named by a digest is looked
 * for in its content store. Tags are always the registry's.
 */
record LocalFirst(ImageRegistry registry, LocalContent local, String namespace)
    implements ImageRegistry {

  private static final Logger LOG = LoggerFactory.getLogger(LocalFirst.class);

  @Override
  public Content resolve(ImageReference reference) throws IOException, InterruptedException {
    Digest digest = reference.digest();
    if (digest != null) {
      Optional<Content> found = find(digest).flatMap(bytes -> Sniffed.document(digest, bytes));
      if (found.isPresent()) {
        return found.get();
      }
    }
    return registry.resolve(reference);
  }

  @Override
  public Content read(Repository repository, Descriptor descriptor)
      throws IOException, InterruptedException {
    Optional<Bytes> found =
        find(descriptor.digest()).filter(bytes -> bytes.length() == descriptor.sizeBytes());
    return found.isPresent()
        ? new Content(descriptor, found.get())
        : registry.read(repository, descriptor);
  }

  private Optional<Bytes> find(Digest digest) throws InterruptedException {
    try {
      Optional<Bytes> found = local.find(namespace, digest);
      LOG.debug("{} is {}in namespace \"{}\"", digest, found.isPresent() ? "" : "not ", namespace);
      return found;
    } catch (IOException e) {
      LOG.debug("{} is asked of the registry: {}", digest, e.getMessage());
      return Optional.empty();
    }
  }

  @Override
  public List<Descriptor> referrers(
      Repository repository, Digest subject, Optional<String> artifactType)
      throws IOException, InterruptedException {
    return registry.referrers(repository, subject, artifactType);
  }

  @Override
  public ImageDocument document(Content content) throws IOException {
    return registry.document(content);
  }

  @Override
  public ImageConfig config(Content content) throws IOException {
    return registry.config(content);
  }
}
