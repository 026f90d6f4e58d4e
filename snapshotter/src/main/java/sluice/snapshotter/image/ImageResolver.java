package sluice.snapshotter.image;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.ImageRegistry.Content;
import sluice.core.Platform;
import sluice.core.Repository;

/** Finds the manifest that a reference leads to for one platform. Safe for use by many threads. */
public final class ImageResolver {

  private static final Logger LOG = LoggerFactory.getLogger(ImageResolver.class);

  /** Indexes in indexes: one level is common, two are seen; more is a loop or an attack. */
  private static final int MAX_INDEX_DEPTH = 4;

  /** Indexes and manifests read for one reference, so that a wide index cannot make us read on. */
  private static final int MAX_DOCUMENTS = 64;

  private final ImageRegistry registry;
  private final LocalContent local;
  private final Predicate<Descriptor> isVariant;

  /**
   * @param isVariant whether an index says that a manifest holds its image in a format of its own
   */
  public ImageResolver(
      ImageRegistry registry, LocalContent local, Predicate<Descriptor> isVariant) {
    this.registry = registry;
    this.local = local;
    this.isVariant = isVariant;
  }

  /**
   * Resolves a reference.
   *
   * @throws FetchException if it leads nowhere, or to nothing for that platform
   * @throws CorruptException if a document on the way is broken
   */
  public ResolvedImage resolve(ImageReference reference, Platform platform)
      throws IOException, InterruptedException {
    return choose(reference, registry.resolve(reference), platform);
  }

  /** The same, for a namespace of containerd, whose content is not asked of the registry again. */
  ImageResolver in(String namespace) {
    return new ImageResolver(
        new LocalFirst(registry, local, namespace), LocalContent.NONE, isVariant);
  }

  /**
   * Resolves a reference of which containerd has chosen the manifest already. The variant is found
   * if the target lists that manifest.
   *
   * @param manifest digest of that manifest, or of the index that it was chosen from
   * @param target digest of what the reference led to then; null to ask what it leads to now
   */
  public ResolvedImage resolve(
      ImageReference reference, Digest manifest, @Nullable Digest target, Platform platform)
      throws IOException, InterruptedException {
    Repository repository = reference.repository();
    Content content = contentOf(repository, manifest);
    if (registry.document(content) instanceof ImageDocument.Index) {
      return choose(reference, content, platform);
    }
    ImageManifest image = read(repository, content);
    ResolvedImage alone = new ResolvedImage(reference, List.of(), image, null);
    if (manifest.equals(reference.digest()) || manifest.equals(target)) {
      return alone;
    }
    try {
      Content top = target == null ? registry.resolve(reference) : contentOf(repository, target);
      ResolvedImage whole = choose(reference, top, platform);
      if (whole.image().digest().equals(manifest)) {
        return whole;
      }
    } catch (IOException e) {
      LOG.debug("{}: no index, so no variant of manifest {}: {}", reference, manifest, e);
    }
    return alone;
  }

  /** Reads a manifest and its configuration by the manifest's digest. */
  ImageManifest manifest(Repository repository, Digest manifest)
      throws IOException, InterruptedException {
    return read(repository, contentOf(repository, manifest));
  }

  /** What the index, or the manifest, that {@code top} holds offers for {@code platform}. */
  private ResolvedImage choose(ImageReference reference, Content top, Platform platform)
      throws IOException, InterruptedException {
    Repository repository = reference.repository();
    PlatformOrder order = new PlatformOrder(platform);
    if (registry.document(top) instanceof ImageDocument.Manifest) {
      ImageManifest image = read(repository, top);
      if (order.rank(image.config().platform()) == PlatformOrder.NO_MATCH) {
        throw nothingFor(reference, platform, List.of(image.config().platform()));
      }
      return new ResolvedImage(reference, List.of(), image, null);
    }
    Walk walk = new Walk(repository, order);
    walk.enter(top, List.of());
    Candidate best =
        walk.best(false)
            .or(() -> walk.best(true))
            .orElseThrow(() -> nothingFor(reference, platform, walk.offered()));
    ImageManifest image = best.image != null ? best.image : read(repository, best.descriptor);
    ImageManifest variant = null;
    Optional<Candidate> other = walk.best(true).filter(c -> !best.variant && c.rank == best.rank);
    if (other.isPresent()) {
      variant = readVariant(repository, other.get().descriptor);
    }
    return new ResolvedImage(reference, best.path, image, variant);
  }

  /** The variant, or null with the reason in the log: the image is whole without it. */
  private @Nullable ImageManifest readVariant(Repository repository, Descriptor descriptor)
      throws InterruptedException {
    try {
      return read(repository, descriptor);
    } catch (IOException e) {
      LOG.warn("{}: the variant {} is not used: {}", repository, descriptor.digest(), e);
      return null;
    }
  }

  private ImageManifest read(Repository repository, Descriptor descriptor)
      throws IOException, InterruptedException {
    return read(repository, registry.read(repository, descriptor));
  }

  private ImageManifest read(Repository repository, Content content)
      throws IOException, InterruptedException {
    return switch (registry.document(content)) {
      case ImageDocument.Index index ->
          throw new CorruptException(
              "manifest expected, found an index of " + index.manifests().size(),
              repository + "@" + content.descriptor().digest(),
              -1);
      case ImageDocument.Manifest manifest -> {
        Content configContent = registry.read(repository, manifest.config());
        ImageConfig config = registry.config(configContent);
        if (config.diffIds().size() != manifest.layers().size()) {
          throw new CorruptException(
              "manifest has %d layers, its configuration %s has %d diff IDs"
                  .formatted(
                      manifest.layers().size(),
                      manifest.config().digest(),
                      config.diffIds().size()),
              repository + "@" + content.descriptor().digest(),
              -1);
        }
        yield new ImageManifest(content, manifest, configContent, config);
      }
    };
  }

  private Content contentOf(Repository repository, Digest digest)
      throws IOException, InterruptedException {
    return registry.resolve(new ImageReference(repository, null, digest));
  }

  private boolean isNoImage(Descriptor descriptor) {
    return MediaTypes.isForeignArtifact(descriptor) && !isVariant.test(descriptor);
  }

  private static FetchException nothingFor(
      ImageReference reference, Platform platform, List<Platform> offered) {
    return new FetchException(
        "%s: nothing for platform %s; it offers %s".formatted(reference, platform, offered),
        FetchException.Reason.NOT_FOUND,
        0,
        null);
  }

  /** A manifest that an index offers for a platform; {@code image} is null until it was read. */
  private record Candidate(
      Descriptor descriptor,
      int rank,
      boolean variant,
      List<Content> path,
      @Nullable ImageManifest image) {}

  /** Goes through an index and the indexes in it. */
  private final class Walk {
    private final Repository repository;
    private final PlatformOrder order;
    private final List<Candidate> candidates = new ArrayList<>();
    private final List<Platform> offered = new ArrayList<>();
    private int documents;

    Walk(Repository repository, PlatformOrder order) {
      this.repository = repository;
      this.order = order;
    }

    Optional<Candidate> best(boolean variant) {
      return candidates.stream()
          .filter(candidate -> candidate.variant == variant)
          .min(Comparator.comparingInt(Candidate::rank));
    }

    List<Platform> offered() {
      return offered.stream().distinct().toList();
    }

    void enter(Content content, List<Content> above) throws IOException, InterruptedException {
      List<Content> path = new ArrayList<>(above);
      path.add(content);
      if (path.size() > MAX_INDEX_DEPTH || ++documents > MAX_DOCUMENTS) {
        throw new CorruptException(
            "indexes nested more than %d deep, or more than %d of them"
                .formatted(MAX_INDEX_DEPTH, MAX_DOCUMENTS),
            repository + "@" + content.descriptor().digest(),
            -1);
      }
      if (!(registry.document(content) instanceof ImageDocument.Index index)) {
        throw new CorruptException(
            "index expected, found a manifest",
            repository + "@" + content.descriptor().digest(),
            -1);
      }
      for (Descriptor descriptor : index.manifests()) {
        consider(descriptor, path);
      }
      if (above.isEmpty() && candidates.isEmpty()) {
        considerUnmarked(index, path);
      }
    }

    private void consider(Descriptor descriptor, List<Content> path)
        throws IOException, InterruptedException {
      Platform platform = descriptor.platform();
      if (platform != null) {
        offered.add(platform);
      }
      int rank = platform == null ? 0 : order.rank(platform);
      if (rank == PlatformOrder.NO_MATCH || isNoImage(descriptor)) {
        return;
      }
      if (MediaTypes.isIndex(descriptor)) {
        enter(registry.read(repository, descriptor), path);
      } else if (platform != null) {
        candidates.add(
            new Candidate(descriptor, rank, isVariant.test(descriptor), List.copyOf(path), null));
      }
    }

    /** Manifests whose descriptors name no platform: their configurations do. */
    private void considerUnmarked(ImageDocument.Index index, List<Content> path)
        throws IOException, InterruptedException {
      for (Descriptor descriptor : index.manifests()) {
        if (descriptor.platform() != null
            || MediaTypes.isIndex(descriptor)
            || isNoImage(descriptor)
            || ++documents > MAX_DOCUMENTS) {
          continue;
        }
        ImageManifest image = read(repository, descriptor);
        offered.add(image.config().platform());
        int rank = order.rank(image.config().platform());
        if (rank != PlatformOrder.NO_MATCH) {
          candidates.add(
              new Candidate(
                  descriptor, rank, isVariant.test(descriptor), List.copyOf(path), image));
        }
      }
    }
  }
}
