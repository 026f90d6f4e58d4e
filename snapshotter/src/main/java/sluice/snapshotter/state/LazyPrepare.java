package sluice.snapshotter.state;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.Digest;

/**
 * The remote-snapshot half of Prepare: containerd says with {@code containerd.io/snapshot.ref}
 * which chain ID the layer will have; if the layer can be lazy, a snapshot is committed for it
 * under a name of ours, and containerd finds it by its labels and its parent.
 */
final class LazyPrepare {
  private static final Logger log = LoggerFactory.getLogger(LazyPrepare.class);

  private final SnapshotStore store;
  private final LazyLayers lazyLayers;
  private final Fallbacks fallbacks;

  LazyPrepare(SnapshotStore store, LazyLayers lazyLayers, Fallbacks fallbacks) {
    this.store = store;
    this.lazyLayers = lazyLayers;
    this.fallbacks = fallbacks;
  }

  /**
   * Commits the layer lazily; a layer that is committed already, or by a request that was faster,
   * is as good.
   *
   * @return the committed snapshot, or nothing if the layer must be unpacked the ordinary way
   */
  Optional<SnapshotKey> commit(
      SnapshotKey key,
      @Nullable String parent,
      List<CommittedLayer> below,
      Map<String, String> labels,
      String namespace)
      throws IOException, InterruptedException {
    String ref = labels.getOrDefault(Labels.SNAPSHOT_REF, "");
    Digest chainId;
    try {
      chainId = Digest.parse(ref);
    } catch (IllegalArgumentException e) {
      String reason =
          "label %s is not a chain ID: %s".formatted(Labels.SNAPSHOT_REF, e.getMessage());
      return fellBack(
          ref,
          null,
          new LazyLayers.Outcome.Fallback(FallbackKind.NOT_NAMED, reason),
          Duration.ZERO);
    }
    LayerRequest request = new LayerRequest(key.snapshotter(), namespace, chainId, below, labels);
    SnapshotKey name = key.sibling(backendName(key.snapshotter(), ref, parent));
    if (isCommitted(name, request)) {
      return Optional.of(name);
    }
    Instant begin = Instant.now();
    return switch (lazyLayers.prepare(request)) {
      case LazyLayers.Outcome.Lazy(LazyLayer layer, LazyLayers.Pin pin) -> {
        try (pin) {
          store(name, parent, labels, layer);
        }
        log.debug("{} is served lazily by format {} as {}", request, layer.format(), name);
        yield Optional.of(name);
      }
      case LazyLayers.Outcome.Fallback fallback ->
          fellBack(ref, request.imageReference(), fallback, Duration.between(begin, Instant.now()));
    };
  }

  private boolean isCommitted(SnapshotKey name, LayerRequest request) throws IOException {
    LazyLayer known = store.find(name).map(Snapshot::lazy).orElse(null);
    if (known != null) {
      lazyLayers.named(known, request);
    }
    return known != null;
  }

  private void store(
      SnapshotKey name, @Nullable String parent, Map<String, String> labels, LazyLayer layer)
      throws IOException {
    try {
      store.commitLazy(name, parent, labels, layer);
    } catch (SnapshotException e) {
      if (e.code() != SnapshotException.Code.ALREADY_EXISTS) {
        throw e;
      }
      log.debug("another request committed {} meanwhile", name);
    }
  }

  private Optional<SnapshotKey> fellBack(
      String ref, @Nullable String image, LazyLayers.Outcome.Fallback fallback, Duration triedFor) {
    log.warn(
        "layer {} of image {} is unpacked the ordinary way ({}): {}",
        ref,
        image,
        fallback.kind().label(),
        fallback.reason());
    fallbacks.add(
        new Fallbacks.Entry(
            Instant.now(), ref, image, fallback.kind(), fallback.reason(), triedFor));
    return Optional.empty();
  }

  /**
   * The name of a lazy snapshot, the same whenever the same layer is prepared on the same parent.
   * containerd's own names hold a slash, so they cannot be equal to it.
   */
  static String backendName(String snapshotter, String ref, @Nullable String parent) {
    String identity = String.join("\0", snapshotter, ref, parent == null ? "" : parent);
    return "lazy-" + Digest.sha256(identity.getBytes(StandardCharsets.UTF_8)).hex();
  }
}
