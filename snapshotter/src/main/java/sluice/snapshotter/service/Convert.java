package sluice.snapshotter.service;

import com.google.protobuf.Timestamp;
import java.time.Instant;
import java.util.List;
import sluice.api.containerd.snapshots.Info;
import sluice.api.containerd.types.Mount;
import sluice.snapshotter.state.Kind;
import sluice.snapshotter.state.Snapshot;

/** Messages of our nouns. */
final class Convert {

  private Convert() {}

  static Info info(Snapshot snapshot) {
    Info.Builder info =
        Info.newBuilder()
            .setName(snapshot.key().name())
            .setKind(kind(snapshot.kind()))
            .setCreatedAt(timestamp(snapshot.createdAt()))
            .setUpdatedAt(timestamp(snapshot.updatedAt()))
            .putAllLabels(snapshot.labels());
    String parent = snapshot.parent();
    if (parent != null) {
      info.setParent(parent);
    }
    return info.build();
  }

  private static sluice.api.containerd.snapshots.Kind kind(Kind kind) {
    return switch (kind) {
      case VIEW -> sluice.api.containerd.snapshots.Kind.VIEW;
      case ACTIVE -> sluice.api.containerd.snapshots.Kind.ACTIVE;
      case COMMITTED -> sluice.api.containerd.snapshots.Kind.COMMITTED;
    };
  }

  static List<Mount> mounts(List<sluice.snapshotter.state.Mount> mounts) {
    return mounts.stream()
        .map(mount ->
            Mount.newBuilder()
                .setType(mount.type())
                .setSource(mount.source())
                .addAllOptions(mount.options())
                .build())
        .toList();
  }

  static Timestamp timestamp(Instant instant) {
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }
}
