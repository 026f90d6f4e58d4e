package sluice.snapshotter.image;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import sluice.core.Digest;
import sluice.snapshotter.state.LazyLayer;
import sluice.snapshotter.state.LazyLayers.Needed;
import sluice.snapshotter.state.LazyLayers.NeededQuery;

/**
 * Unmounts and deletes what no snapshot needs any more. What was there when it began is looked at,
 * and nothing that was pinned since.
 */
final class Sweep {

  private final LayerLibrary layers;
  private final ChainLibrary chains;
  private final MountedRuns runs;
  private final DeviceOwners owners;
  private final Pins pins;

  /** One sweep at a time; never held across I/O to a registry. */
  private final ReentrantLock lock = new ReentrantLock();

  Sweep(
      LayerLibrary layers, ChainLibrary chains, MountedRuns runs, DeviceOwners owners, Pins pins) {
    this.layers = layers;
    this.chains = chains;
    this.runs = runs;
    this.owners = owners;
    this.pins = pins;
  }

  /** What may be deleted. */
  private record Found(Set<LayerKey> layers, Set<ChainKey> chains, Set<ChainKey> mounts) {}

  /** Sweeps once; {@code needed} is asked after all that may go has been noted. */
  void run(NeededQuery needed) throws IOException {
    lock.lock();
    try {
      pins.beginSweep();
      Found found = new Found(layers.keys(), chains.keys(), runs.mounted());
      drop(found, needed.get());
    } finally {
      pins.endSweep();
      lock.unlock();
    }
  }

  private void drop(Found found, Needed needed) throws IOException {
    Set<Digest> liveChains =
        needed.committed().stream().map(LazyLayer::chainId).collect(Collectors.toSet());
    Set<Digest> liveLayers = new HashSet<>();
    for (LazyLayer layer : needed.committed()) {
      liveLayers.add(layer.layer().digest());
      LayerKey.ofImageTree(layer).ifPresent(tree -> liveLayers.add(tree.layer()));
    }
    Set<ChainKey> liveMounts =
        needed.mounted().stream()
            .flatMap(run -> runs.key(run).stream())
            .collect(Collectors.toSet());
    Failures failures = new Failures();
    for (ChainKey key : found.mounts) {
      if (!liveMounts.contains(key)) {
        failures.collect(() -> pins.deleteUnpinned(key, () -> runs.unmount(key)));
      }
    }
    for (ChainKey key : found.chains) {
      if (!liveMounts.contains(key) && !shows(key, liveLayers)) {
        failures.collect(() -> pins.deleteUnpinned(key, () -> chains.delete(key)));
      }
    }
    for (LayerKey key : found.layers) {
      if (!liveLayers.contains(key.layer())) {
        failures.collect(() -> pins.deleteUnpinned(key.layer(), () -> layers.delete(Set.of(key))));
      }
    }
    runs.forgetBut(needed);
    owners.retain(liveChains);
    failures.collect(layers::sweepDevices);
    failures.report();
  }

  /** What could not be deleted: the rest is all the same. For one thread. */
  private static final class Failures {
    private final List<Exception> failures = new ArrayList<>();

    void collect(Pins.Deletion deletion) {
      try {
        deletion.run();
      } catch (IOException | RuntimeException e) {
        failures.add(e);
      }
    }

    void report() throws IOException {
      if (failures.isEmpty()) {
        return;
      }
      Exception first = failures.removeFirst();
      IOException all =
          new IOException(
              "%d deletions of what no snapshot needs failed, the first: %s"
                  .formatted(failures.size() + 1, first.getMessage()),
              first);
      failures.forEach(all::addSuppressed);
      throw all;
    }
  }

  /** Whether a merged image is one that the next container may need. */
  private boolean shows(ChainKey key, Set<Digest> liveLayers) {
    return chains
        .layers(key)
        .filter(names -> names.stream().allMatch(name -> liveLayers.contains(name.layer())))
        .isPresent();
  }
}
