package sluice.command;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import sluice.cache.CacheReport;
import sluice.core.DeviceId;
import sluice.core.Digest;
import sluice.snapshotter.image.ImageLibrary;
import sluice.snapshotter.image.KeptLayer;
import sluice.snapshotter.state.LazyLayer;
import sluice.snapshotter.state.Snapshot;

/**
 * Which devices hold the data of which lazy layers.
 *
 * @param byLayer every lazy layer of a committed snapshot, once
 */
record LayerDevices(Map<LazyLayer, Set<DeviceId>> byLayer) {

  /**
   * Looks it up. In a whole-image format the topmost layer has the tree and all layers have data,
   * so that a device belongs to the layer of the image that is its blob; where there is none, to
   * the one with the tree.
   *
   * @param report of the cache, which knows what blob a device is of
   */
  static LayerDevices of(List<Snapshot> snapshots, ImageLibrary images, CacheReport report) {
    Map<DeviceId, Digest> blobs =
        report.devices().stream()
            .collect(Collectors.toMap(CacheReport.Entry::id, CacheReport.Entry::blob));
    Map<LazyLayer, Set<DeviceId>> byLayer = new LinkedHashMap<>();
    for (List<LazyLayer> image : byImage(snapshots).values()) {
      Map<Digest, LazyLayer> byBlob = new HashMap<>();
      for (LazyLayer layer : image) {
        byLayer.put(layer, new LinkedHashSet<>());
        byBlob.putIfAbsent(layer.layer().digest(), layer);
      }
      for (LazyLayer layer : image) {
        for (DeviceId device : images.kept(layer).map(KeptLayer::devices).orElse(List.of())) {
          LazyLayer owner = byBlob.getOrDefault(blobs.get(device), layer);
          Objects.requireNonNull(byLayer.get(owner)).add(device);
        }
      }
    }
    return new LayerDevices(byLayer);
  }

  /** The lazy layers of each image, lowest first; the same layer of two snapshotters once. */
  private static Map<String, List<LazyLayer>> byImage(List<Snapshot> snapshots) {
    Map<String, List<LazyLayer>> images = new LinkedHashMap<>();
    for (Snapshot snapshot : snapshots) {
      LazyLayer layer = snapshot.lazy();
      if (layer != null) {
        List<LazyLayer> image =
            images.computeIfAbsent(
                layer.image() + " " + layer.manifest(), key -> new ArrayList<>());
        if (!image.contains(layer)) {
          image.add(layer);
        }
      }
    }
    return images;
  }

  /** What a layer's devices are, none if it has none or is unknown. */
  Set<DeviceId> of(LazyLayer layer) {
    return byLayer.getOrDefault(layer, Set.of());
  }

  /** What a layer's devices occupy on disk. */
  static long occupiedBytes(Set<DeviceId> devices, CacheReport report) throws IOException {
    return report.devices().stream()
        .filter(entry -> devices.contains(entry.id()))
        .mapToLong(CacheReport.Entry::occupiedBytes)
        .sum();
  }
}
