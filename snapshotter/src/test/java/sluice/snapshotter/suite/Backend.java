package sluice.snapshotter.suite;

import com.google.protobuf.FieldMask;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import sluice.api.containerd.snapshots.CleanupRequest;
import sluice.api.containerd.snapshots.CommitSnapshotRequest;
import sluice.api.containerd.snapshots.Info;
import sluice.api.containerd.snapshots.ListSnapshotsRequest;
import sluice.api.containerd.snapshots.MountsRequest;
import sluice.api.containerd.snapshots.PrepareSnapshotRequest;
import sluice.api.containerd.snapshots.RemoveSnapshotRequest;
import sluice.api.containerd.snapshots.StatSnapshotRequest;
import sluice.api.containerd.snapshots.UpdateSnapshotRequest;
import sluice.api.containerd.snapshots.UsageRequest;
import sluice.api.containerd.snapshots.UsageResponse;
import sluice.api.containerd.snapshots.ViewSnapshotRequest;
import sluice.api.containerd.types.Mount;
import sluice.core.Digest;

/**
 * Speaks to the daemon as containerd's metadata store does: it knows snapshots by names of its own.
 * So a case need not know whether what it committed became a local or a lazy snapshot.
 */
final class Backend {

  static final String REF = "containerd.io/snapshot.ref";
  static final String GC_ROOT = "containerd.io/gc.root";

  private static final String SNAPSHOTTER = "sluice";

  /** Which commits become lazy snapshots. */
  enum Laziness {
    /** None. */
    NONE,
    /** Those without a parent: everything above stands on a lazy base. */
    BASE,
    /** All: chains are merged. */
    ALL
  }

  private final TestDaemon daemon;
  private final Laziness laziness;
  private final Map<String, String> backendNames = new HashMap<>();
  private final Map<String, String> ownNames = new HashMap<>();
  private final AtomicInteger mountpoints = new AtomicInteger();

  Backend(TestDaemon daemon, Laziness laziness) {
    this.daemon = daemon;
    this.laziness = laziness;
  }

  List<Mount> prepare(String key, String parent, String... labels) {
    return daemon
        .snapshots()
        .prepare(
            PrepareSnapshotRequest.newBuilder()
                .setSnapshotter(SNAPSHOTTER)
                .setKey(key)
                .setParent(backend(parent))
                .putAllLabels(rooted(labels))
                .build())
        .getMountsList();
  }

  List<Mount> view(String key, String parent, String... labels) {
    return daemon
        .snapshots()
        .view(
            ViewSnapshotRequest.newBuilder()
                .setSnapshotter(SNAPSHOTTER)
                .setKey(key)
                .setParent(backend(parent))
                .putAllLabels(rooted(labels))
                .build())
        .getMountsList();
  }

  List<Mount> mounts(String key) {
    return daemon
        .snapshots()
        .mounts(MountsRequest.newBuilder().setSnapshotter(SNAPSHOTTER).setKey(key).build())
        .getMountsList();
  }

  /** Commits, locally or lazily. */
  void commit(String name, String key, String... labels) throws IOException {
    String parent = stat(key).getParent();
    if (laziness == Laziness.ALL || (laziness == Laziness.BASE && parent.isEmpty())) {
      commitLazily(name, key, parent, rooted(labels));
    } else {
      commitLocally(name, key, "", labels);
    }
  }

  void commitLocally(String name, String key, String parent, String... labels) {
    var _ =
        daemon
            .snapshots()
            .commit(
                CommitSnapshotRequest.newBuilder()
                    .setSnapshotter(SNAPSHOTTER)
                    .setName(name)
                    .setKey(key)
                    .setParent(parent)
                    .putAllLabels(rooted(labels))
                    .build());
  }

  /** What containerd would see if the layer that was written here were in a registry. */
  private void commitLazily(String name, String key, String parent, Map<String, String> labels)
      throws IOException {
    if (exists(name)) {
      throw Status.ALREADY_EXISTS.asRuntimeException();
    }
    Digest chainId = Digest.sha256(name.getBytes(StandardCharsets.UTF_8));
    Path layer = daemon.layers().layer(chainId);
    if (!Files.exists(layer)) {
      Files.createDirectories(layer.getParent());
      Path upper = upper(key);
      Files.move(upper, layer);
      Files.createDirectory(upper);
    }
    remove(key);
    Map<String, String> withRef = new HashMap<>(labels);
    withRef.put(REF, chainId.toString());
    prepareLazily("extract-" + name, parent, withRef);
    backendNames.put(name, findByRef(chainId, parent));
    ownNames.put(backendNames.get(name), name);
  }

  private void prepareLazily(String key, String parent, Map<String, String> labels) {
    try {
      var mounts =
          daemon
              .snapshots()
              .prepare(
                  PrepareSnapshotRequest.newBuilder()
                      .setSnapshotter(SNAPSHOTTER)
                      .setKey(key)
                      .setParent(backend(parent))
                      .putAllLabels(labels)
                      .build());
      throw new AssertionError("ALREADY_EXISTS expected, found " + mounts);
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() != Status.Code.ALREADY_EXISTS) {
        throw e;
      }
    }
  }

  /** With the filter that containerd uses. */
  private String findByRef(Digest chainId, String parent) {
    String filter = "labels.\"%s\"==%s,parent==\"%s\"".formatted(REF, chainId, backend(parent));
    List<Info> found = listBackend(filter);
    if (found.size() != 1
        || found.getFirst().getKind() != sluice.api.containerd.snapshots.Kind.COMMITTED) {
      throw new AssertionError("one committed snapshot expected for " + filter + ": " + found);
    }
    return found.getFirst().getName();
  }

  /** The directory that overlayfs or a bind mount of this active snapshot writes to. */
  private Path upper(String key) {
    Mount mount = mounts(key).getFirst();
    return mount.getOptionsList().stream()
        .filter(option -> option.startsWith("upperdir="))
        .map(option -> Path.of(option.substring("upperdir=".length())))
        .findFirst()
        .orElseGet(() -> Path.of(mount.getSource()));
  }

  void remove(String name) {
    var _ =
        daemon
            .snapshots()
            .remove(
                RemoveSnapshotRequest.newBuilder()
                    .setSnapshotter(SNAPSHOTTER)
                    .setKey(backend(name))
                    .build());
    backendNames.remove(name);
  }

  Info stat(String name) {
    return own(
        daemon
            .snapshots()
            .stat(
                StatSnapshotRequest.newBuilder()
                    .setSnapshotter(SNAPSHOTTER)
                    .setKey(backend(name))
                    .build())
            .getInfo());
  }

  private boolean exists(String name) {
    try {
      return !stat(name).getName().isEmpty();
    } catch (StatusRuntimeException e) {
      return false;
    }
  }

  Info update(Info info, String... paths) {
    Info backend = info.toBuilder().setName(backend(info.getName())).build();
    return own(
        daemon
            .snapshots()
            .update(
                UpdateSnapshotRequest.newBuilder()
                    .setSnapshotter(SNAPSHOTTER)
                    .setInfo(backend)
                    .setUpdateMask(FieldMask.newBuilder().addAllPaths(List.of(paths)))
                    .build())
            .getInfo());
  }

  /** By the names of this class; filters on names and parents are only for what is local. */
  List<Info> list(String... filters) {
    return listBackend(filters).stream().map(this::own).toList();
  }

  private List<Info> listBackend(String... filters) {
    List<Info> found = new ArrayList<>();
    daemon
        .snapshots()
        .list(
            ListSnapshotsRequest.newBuilder()
                .setSnapshotter(SNAPSHOTTER)
                .addAllFilters(List.of(filters))
                .build())
        .forEachRemaining(block -> found.addAll(block.getInfoList()));
    return found;
  }

  UsageResponse usage(String name) {
    return daemon
        .snapshots()
        .usage(UsageRequest.newBuilder().setSnapshotter(SNAPSHOTTER).setKey(backend(name)).build());
  }

  void cleanup() {
    var _ =
        daemon.snapshots().cleanup(CleanupRequest.newBuilder().setSnapshotter(SNAPSHOTTER).build());
  }

  /** The name by which the daemon knows a snapshot. */
  String backend(String name) {
    return backendNames.getOrDefault(name, name);
  }

  /** Mounts at a place of its own. */
  Mounted mount(List<Mount> mounts) throws IOException {
    return Mounted.on(daemon.work().resolve("m" + mountpoints.incrementAndGet()), mounts);
  }

  private Info own(Info info) {
    Info.Builder own = info.toBuilder();
    own.setName(ownNames.getOrDefault(info.getName(), info.getName()));
    own.setParent(ownNames.getOrDefault(info.getParent(), info.getParent()));
    return own.removeLabels(REF).build();
  }

  private static Map<String, String> rooted(String... labels) {
    Map<String, String> all = new HashMap<>();
    all.put(GC_ROOT, "2026-01-01T00:00:00Z");
    for (int i = 0; i < labels.length; i += 2) {
      all.put(labels[i], labels[i + 1]);
    }
    return all;
  }
}
