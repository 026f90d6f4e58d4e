package sluice.formats.soci;

import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageRegistry;
import sluice.core.IndexOrigin;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.RangeSource;
import sluice.formats.soci.SociIndex.Version;

/**
 * Ordinary layers that have a zTOC in a SOCI index of their image, or one that was made here. Safe
 * for use by many threads.
 *
 * <p>What was made here comes first: it was made of the layer itself, whose digest and diff ID were
 * verified.
 *
 * <p>An index of version 2 is named by the image's manifest, so the image's digest pins it. One of
 * version 1 is any manifest that refers to the image: it is searched for only where {@link
 * IndexTrust} takes the word of referrers, and only for a while, so that a registry that hangs
 * leaves the next format its time.
 */
public final class SociFormat implements LayerFormat {

  /** What {@link #name} says. */
  public static final String NAME = "soci";

  /** An annotation of the image's manifest. */
  static final String INDEX_DIGEST = "com.amazon.soci.index-digest";

  /** Whoever may push can push any number of referrers. */
  private static final int MAX_REFERRERS = 16;

  private final RangeSource source;
  private final SociIndexes indexes;
  private final @Nullable OwnIndexes own;
  private final Duration patience;

  /**
   * @param source gives zTOCs
   * @param registry gives indexes
   * @param clock says how long what the registry answered is kept
   */
  public SociFormat(RangeSource source, ImageRegistry registry, InstantSource clock) {
    this(source, registry, clock, null);
  }

  /**
   * @param source gives zTOCs
   * @param registry gives indexes
   * @param clock says how long what the registry answered is kept
   * @param own indexes that were made here, which come before all others; or null
   */
  public SociFormat(
      RangeSource source, ImageRegistry registry, InstantSource clock, @Nullable OwnIndexes own) {
    this(source, registry, clock, own, SociIndexes.REFERRERS);
  }

  /**
   * @param patience how long a layer may wait for referrers, signatures of them included
   */
  SociFormat(
      RangeSource source,
      ImageRegistry registry,
      InstantSource clock,
      @Nullable OwnIndexes own,
      Duration patience) {
    this.source = source;
    this.indexes = new SociIndexes(registry, clock);
    this.own = own;
    this.patience = patience;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Recognition recognise(Layer layer, IndexTrust trust)
      throws IOException, InterruptedException {
    Optional<OwnIndex> known =
        own == null ? Optional.empty() : own.find(layer.descriptor().digest(), layer.diffId());
    if (known.isEmpty()) {
      return foreign(layer, trust);
    }
    Descriptor ztoc = known.get().ztoc();
    if (own != null && ztoc != null) {
      return new Recognition.Tree(
          new SociIndexer(source, layer, ztoc, own.ztoc(known.get())),
          new IndexOrigin(
              Binding.LAYER, "index made on this node", ztoc.sizeBytes(), ztoc.digest()));
    }
    Recognition other = foreign(layer, trust);
    String none = "no index was made on this node: " + known.get().reason();
    return switch (other) {
      case Recognition.Foreign() -> new Recognition.Refused(none);
      case Recognition.Refused(String reason) -> new Recognition.Refused(none + "; " + reason);
      case Recognition usable -> usable;
    };
  }

  /** By an index that somebody else made. */
  private Recognition foreign(Layer layer, IndexTrust trust)
      throws IOException, InterruptedException {
    String pinned = layer.manifest().annotations().get(INDEX_DIGEST);
    Binding binding = pinned == null ? Binding.REFERRER : Binding.IMAGE;
    Optional<String> refusal = trust.refusal(layer, binding);
    if (refusal.isPresent()) {
      return new Recognition.Refused(
          pinned == null
              ? "no index is searched for among referrers: " + refusal.get()
              : "SOCI index %s is not used: %s".formatted(pinned, refusal.get()));
    }
    return pinned == null ? inTime(layer, trust) : pinned(layer, pinned);
  }

  /** By what refers to the image, if that is known soon enough. */
  private Recognition inTime(Layer layer, IndexTrust trust)
      throws IOException, InterruptedException {
    FutureTask<Recognition> asking = new FutureTask<>(() -> referred(layer, trust));
    Thread.ofVirtual().name("referrers of " + layer.image().reference()).start(asking);
    try {
      return asking.get(patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      return new Recognition.Refused(
          "no index among the referrers of %s in %s was found within %d s"
              .formatted(
                  layer.image().digest(),
                  layer.image().reference().repository(),
                  patience.toSeconds()));
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException failed -> throw failed;
        case RuntimeException broken -> throw broken;
        case null, default -> throw new IOException(e.getCause());
      }
    } finally {
      asking.cancel(true);
    }
  }

  private Recognition pinned(Layer layer, String digest) throws IOException, InterruptedException {
    Digest index;
    try {
      index = Digest.parse(digest);
    } catch (IllegalArgumentException e) {
      return new Recognition.Refused("annotation %s: %s".formatted(INDEX_DIGEST, e.getMessage()));
    }
    return recognise(layer, indexes.read(layer, index, Version.V2), Version.V2);
  }

  /** The first referrer that is trusted, can be read, and has a zTOC of the layer. */
  private Recognition referred(Layer layer, IndexTrust trust)
      throws IOException, InterruptedException {
    List<Descriptor> referrers = indexes.referrers(layer.image());
    List<String> reasons = new ArrayList<>();
    for (Descriptor referrer : referrers) {
      if (reasons.size() == MAX_REFERRERS) {
        reasons.add("%d more are not looked at".formatted(referrers.size() - MAX_REFERRERS));
        break;
      }
      switch (referred(layer, referrer, trust)) {
        case Recognition.Refused(String reason) -> reasons.add(reason);
        case Recognition usable -> {
          return usable;
        }
      }
    }
    return reasons.isEmpty()
        ? new Recognition.Foreign()
        : new Recognition.Refused(String.join("; ", reasons));
  }

  private Recognition referred(Layer layer, Descriptor referrer, IndexTrust trust)
      throws InterruptedException {
    try {
      SociIndex index = indexes.read(layer, referrer.digest(), Version.V1);
      Recognition recognition = recognise(layer, index, Version.V1);
      if (recognition instanceof Recognition.Tree(Indexer _, IndexOrigin origin)) {
        Optional<String> refusal = trust.refusal(layer, origin);
        if (refusal.isPresent()) {
          return new Recognition.Refused("%s is not used: %s".formatted(index, refusal.get()));
        }
      }
      return recognition;
    } catch (IOException e) {
      return new Recognition.Refused(
          "SOCI index %s: %s".formatted(referrer.digest(), e.getMessage()));
    }
  }

  private Recognition recognise(Layer layer, SociIndex index, Version version) {
    Digest digest = layer.descriptor().digest();
    Optional<Descriptor> found = index.ztoc(digest);
    if (found.isEmpty()) {
      return new Recognition.Refused("%s has no zTOC for this layer".formatted(index));
    }
    Descriptor ztoc = found.get();
    if (ztoc.sizeBytes() > Ztoc.MAX_BYTES) {
      return new Recognition.Refused(
          "%s has a zTOC of %d bytes for this layer, at most %d are fetched"
              .formatted(index, ztoc.sizeBytes(), Ztoc.MAX_BYTES));
    }
    return new Recognition.Tree(
        new SociIndexer(source, layer, ztoc, index.prefetch(digest)),
        new IndexOrigin(
            version == Version.V2 ? Binding.IMAGE : Binding.REFERRER,
            "zTOC of %s (%s)".formatted(index, version.label()),
            ztoc.sizeBytes(),
            ztoc.digest(),
            index.digest()));
  }
}
