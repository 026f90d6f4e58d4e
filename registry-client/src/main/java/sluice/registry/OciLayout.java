package sluice.registry;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import sluice.core.Bytes;
import sluice.core.ContentHasher;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImagePublisher;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.core.Repository.InLayout;

/**
 * OCI image layouts on local disk. Tags are the annotations {@code
 * org.opencontainers.image.ref.name} of {@code index.json}; referrers are found by the {@code
 * subject} of the manifests that the index leads to.
 *
 * <p>Takes repositories of the kind {@link InLayout} alone. Safe for use by many threads; several
 * processes may write one layout.
 */
public final class OciLayout implements RangeSource, ImageRegistry, ImagePublisher {

  @Override
  public void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
      throws IOException, InterruptedException {
    int start = into.position();
    firstOf(
        holders,
        blobs -> {
          into.position(start);
          blobs.read(blob, offset, into);
          return blob;
        });
  }

  @Override
  public InputStream open(Digest blob, Set<Repository> holders, Lane lane)
      throws IOException, InterruptedException {
    return firstOf(holders, blobs -> blobs.open(blob));
  }

  @Override
  public Content resolve(ImageReference reference) throws IOException {
    InLayout layout = layout(reference.repository());
    LayoutBlobs blobs = blobs(layout);
    Digest pinned = reference.digest();
    String tag = reference.tag();
    if (pinned == null && tag != null) {
      Descriptor descriptor = index(layout).find(tag);
      return new Content(descriptor, blobs.readAll(descriptor.digest(), Limits.MANIFEST_BYTES));
    }
    if (pinned == null) {
      throw new AssertionError("a reference has a tag or a digest");
    }
    Bytes bytes = blobs.readAll(pinned, Limits.MANIFEST_BYTES);
    String mediaType = Documents.mediaType(bytes, "", layout + "@" + pinned);
    return new Content(new Descriptor(mediaType, pinned, bytes.length()), bytes);
  }

  @Override
  public Content read(Repository repository, Descriptor descriptor) throws IOException {
    Bytes data = descriptor.data();
    if (data != null) {
      return new Content(descriptor, data);
    }
    int limit = Limits.of(descriptor);
    return new Content(descriptor, blobs(layout(repository)).readAll(descriptor.digest(), limit));
  }

  @Override
  public List<Descriptor> referrers(
      Repository repository, Digest subject, Optional<String> artifactType) throws IOException {
    InLayout layout = layout(repository);
    List<Descriptor> all =
        new LayoutReferrers(blobs(layout), subject).search(index(layout).descriptors());
    return Referrer.filter(all, artifactType);
  }

  @Override
  public ImageDocument document(Content content) throws CorruptException {
    return Documents.document(content);
  }

  @Override
  public ImageConfig config(Content content) throws CorruptException {
    return Documents.config(content);
  }

  @Override
  public void putBlob(Repository repository, Descriptor descriptor, Path content)
      throws IOException {
    blobs(layout(repository)).put(descriptor, content);
  }

  @Override
  public void putManifest(ImageReference target, Content manifest) throws IOException {
    InLayout layout = layout(target.repository());
    Descriptor descriptor = manifest.descriptor();
    if (!ContentHasher.matches(descriptor.digest(), manifest.bytes().asBuffer())) {
      throw new IllegalArgumentException("manifest: its bytes have not the digest " + descriptor);
    }
    blobs(layout).put(descriptor.digest(), manifest.bytes());
    index(layout).put(target.tag(), descriptor);
  }

  /** True if both are one layout, or the blob is there already. */
  @Override
  public boolean mountBlob(Repository to, Repository from, Descriptor descriptor) {
    return blobs(layout(to)).has(descriptor.digest());
  }

  private interface Read<T> {
    T from(LayoutBlobs blobs) throws IOException;
  }

  private static <T> T firstOf(Set<Repository> holders, Read<T> read)
      throws IOException, InterruptedException {
    IOException failure = null;
    for (Repository holder : holders) {
      try {
        return read.from(blobs(layout(holder)));
      } catch (ClosedByInterruptException e) {
        Thread.interrupted();
        InterruptedException interrupt = new InterruptedException("while reading " + holder);
        interrupt.initCause(e);
        throw interrupt;
      } catch (FetchException e) {
        if (failure != null) {
          e.addSuppressed(failure);
        }
        failure = e;
      }
    }
    if (failure == null) {
      throw new IllegalArgumentException("no repository to read from");
    }
    throw failure;
  }

  private static LayoutIndex index(InLayout layout) {
    return new LayoutIndex(layout.directory());
  }

  private static LayoutBlobs blobs(InLayout layout) {
    return new LayoutBlobs(layout.directory());
  }

  private static InLayout layout(Repository repository) {
    return switch (repository) {
      case InLayout layout -> layout;
      case Repository.InRegistry registry ->
          throw new IllegalArgumentException(registry + " is no image layout");
    };
  }
}
