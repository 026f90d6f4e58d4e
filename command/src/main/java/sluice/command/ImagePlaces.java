package sluice.command;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
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

/** Registries and image layouts as one: each repository is asked in its own way. */
final class ImagePlaces implements RangeSource, ImageRegistry, ImagePublisher {

  private static final Logger LOG = LoggerFactory.getLogger(ImagePlaces.class);

  private final Place layouts;
  private final Place registries;

  /** One kind of place, by its three faces. */
  record Place(RangeSource blobs, ImageRegistry documents, ImagePublisher publisher) {
    /** Something that has all three. */
    static <P extends RangeSource & ImageRegistry & ImagePublisher> Place of(P place) {
      return new Place(place, place, place);
    }
  }

  /** A read that can be tried at one kind of place after the other. */
  @FunctionalInterface
  private interface Attempt<V> {
    V at(Place place, Set<Repository> holders) throws IOException, InterruptedException;
  }

  ImagePlaces(Place layouts, Place registries) {
    this.layouts = layouts;
    this.registries = registries;
  }

  @Override
  public void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
      throws IOException, InterruptedException {
    int start = into.position();
    nearestFirst(
        holders,
        (place, some) -> {
          place.blobs.read(blob, some, offset, into.position(start), lane);
          return blob;
        });
  }

  @Override
  public InputStream open(Digest blob, Set<Repository> holders, Lane lane)
      throws IOException, InterruptedException {
    return nearestFirst(holders, (place, some) -> place.blobs.open(blob, some, lane));
  }

  /** Each kind is told of its own holders: which of them gave the bytes, it knows itself. */
  @Override
  public void rejected(Digest blob, Set<Repository> holders, long offset) {
    Set<Repository> near = near(holders);
    if (!near.isEmpty()) {
      layouts.blobs.rejected(blob, near, offset);
    }
    if (near.size() < holders.size()) {
      registries.blobs.rejected(blob, far(holders), offset);
    }
  }

  @Override
  public Content resolve(ImageReference reference) throws IOException, InterruptedException {
    return of(reference.repository()).documents.resolve(reference);
  }

  @Override
  public Content read(Repository repository, Descriptor descriptor)
      throws IOException, InterruptedException {
    return of(repository).documents.read(repository, descriptor);
  }

  @Override
  public List<Descriptor> referrers(
      Repository repository, Digest subject, Optional<String> artifactType)
      throws IOException, InterruptedException {
    return of(repository).documents.referrers(repository, subject, artifactType);
  }

  @Override
  public ImageDocument document(Content content) throws IOException {
    return layouts.documents.document(content);
  }

  @Override
  public ImageConfig config(Content content) throws IOException {
    return layouts.documents.config(content);
  }

  @Override
  public void putBlob(Repository repository, Descriptor descriptor, Path content)
      throws IOException, InterruptedException {
    of(repository).publisher.putBlob(repository, descriptor, content);
  }

  @Override
  public void putManifest(ImageReference target, Content manifest)
      throws IOException, InterruptedException {
    of(target.repository()).publisher.putManifest(target, manifest);
  }

  @Override
  public boolean mountBlob(Repository to, Repository from, Descriptor descriptor)
      throws IOException, InterruptedException {
    return of(to).equals(of(from)) && of(to).publisher.mountBlob(to, from, descriptor);
  }

  private Place of(Repository repository) {
    return switch (repository) {
      case Repository.InLayout layout -> layouts;
      case Repository.InRegistry registry -> registries;
    };
  }

  /** Layouts are on this host, so they are asked before registries. */
  private <V> V nearestFirst(Set<Repository> holders, Attempt<V> attempt)
      throws IOException, InterruptedException {
    Set<Repository> near = near(holders);
    if (near.isEmpty()) {
      return attempt.at(registries, holders);
    }
    if (near.size() == holders.size()) {
      return attempt.at(layouts, holders);
    }
    try {
      return attempt.at(layouts, near);
    } catch (FetchException e) {
      LOG.debug("{}; a registry is asked", e.getMessage());
    }
    return attempt.at(registries, far(holders));
  }

  private static Set<Repository> near(Set<Repository> holders) {
    return holders.stream()
        .filter(Repository.InLayout.class::isInstance)
        .collect(Collectors.toUnmodifiableSet());
  }

  private static Set<Repository> far(Set<Repository> holders) {
    return holders.stream()
        .filter(Repository.InRegistry.class::isInstance)
        .collect(Collectors.toUnmodifiableSet());
  }
}
