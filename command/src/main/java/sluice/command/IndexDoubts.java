package sluice.command;

import com.google.protobuf.Timestamp;
import java.io.IOException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import sluice.api.control.LyingIndex;
import sluice.api.control.StatusResponse;
import sluice.snapshotter.check.UndecidedLayer;
import sluice.snapshotter.image.LayerKey;
import sluice.snapshotter.image.RejectedIndexes;
import sluice.snapshotter.service.ControlService.StatusPart;
import sluice.snapshotter.state.LazyLayer;
import sluice.snapshotter.state.Snapshot;
import sluice.snapshotter.state.SnapshotStore;

/**
 * Tells of a daemon which indexes lie, whether anything is mounted from them or not, and which
 * layers could not be compared with theirs.
 */
record IndexDoubts(
    SnapshotStore store, RejectedIndexes rejected, Supplier<List<UndecidedLayer>> undecided)
    implements StatusPart {

  @Override
  public void addTo(StatusResponse.Builder status) throws IOException {
    Map<LayerKey, Set<String>> images = images();
    rejected
        .lying()
        .forEach((key, how) ->
            status.addLyingIndexes(
                LyingIndex.newBuilder()
                    .setLayer(key.layer().toString())
                    .setFormat(key.format())
                    .setReason(how)
                    .addAllImages(images.getOrDefault(key, Set.of()))));
    for (UndecidedLayer layer : undecided.get()) {
      status.addUndecidedLayers(told(layer, images.getOrDefault(layer.key(), Set.of())));
    }
  }

  private static sluice.api.control.UndecidedLayer told(UndecidedLayer layer, Set<String> images) {
    var told =
        sluice.api.control.UndecidedLayer.newBuilder()
            .setLayer(layer.key().layer().toString())
            .setFormat(layer.key().format())
            .setReason(layer.reason())
            .addAllImages(images)
            .setTries(layer.tries());
    Instant next = layer.nextTry();
    if (next != null) {
      told.setNextTry(Timestamp.newBuilder().setSeconds(next.getEpochSecond()));
    }
    return told.build();
  }

  private Map<LayerKey, Set<String>> images() throws IOException {
    Map<LayerKey, Set<String>> images = new HashMap<>();
    for (Snapshot snapshot : store.all()) {
      LazyLayer lazy = snapshot.lazy();
      if (lazy != null) {
        for (LayerKey key : LayerKey.ofShown(lazy)) {
          images.computeIfAbsent(key, shown -> new TreeSet<>()).add(lazy.image());
        }
      }
    }
    return images;
  }
}
