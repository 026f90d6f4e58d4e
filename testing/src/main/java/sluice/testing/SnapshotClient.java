package sluice.testing;

import com.google.protobuf.FieldMask;
import io.grpc.Channel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import sluice.api.containerd.snapshots.CleanupRequest;
import sluice.api.containerd.snapshots.CommitSnapshotRequest;
import sluice.api.containerd.snapshots.Info;
import sluice.api.containerd.snapshots.ListSnapshotsRequest;
import sluice.api.containerd.snapshots.MountsRequest;
import sluice.api.containerd.snapshots.PrepareSnapshotRequest;
import sluice.api.containerd.snapshots.RemoveSnapshotRequest;
import sluice.api.containerd.snapshots.SnapshotsGrpc;
import sluice.api.containerd.snapshots.StatSnapshotRequest;
import sluice.api.containerd.snapshots.UpdateSnapshotRequest;
import sluice.api.containerd.snapshots.UsageRequest;
import sluice.api.containerd.snapshots.UsageResponse;
import sluice.api.containerd.snapshots.ViewSnapshotRequest;
import sluice.api.containerd.types.Mount;

/**
 * Calls a snapshotter over gRPC as containerd's metadata store does. What is created has the label
 * {@link #GC_ROOT}, as in containerd's own suite. Safe for use by many threads.
 */
public final class SnapshotClient {

  /** The label that says which chain ID a layer will have. */
  public static final String REF = "containerd.io/snapshot.ref";

  /** The label that keeps containerd's collector away. */
  public static final String GC_ROOT = "containerd.io/gc.root";

  private static final String SNAPSHOTTER = "sluice";

  private final Supplier<Channel> channel;

  /**
   * A client of what {@code channel} leads to.
   *
   * @param channel asked for each call, so that the other side may come back on another one; stays
   *     the caller's
   */
  public SnapshotClient(Supplier<Channel> channel) {
    this.channel = channel;
  }

  /** The calls themselves, with a deadline. */
  public SnapshotsGrpc.SnapshotsBlockingStub stub() {
    return SnapshotsGrpc.newBlockingStub(channel.get()).withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  /**
   * Prepares a snapshot.
   *
   * @param labels keys and values by turns
   */
  public List<Mount> prepare(String key, String parent, String... labels) {
    return prepare(key, parent, labels(labels));
  }

  /** Prepares a snapshot with just these labels. */
  public List<Mount> prepare(String key, String parent, Map<String, String> labels) {
    return stub()
        .prepare(
            PrepareSnapshotRequest.newBuilder()
                .setSnapshotter(SNAPSHOTTER)
                .setKey(key)
                .setParent(parent)
                .putAllLabels(labels)
                .build())
        .getMountsList();
  }

  /** Makes a snapshot that can only be read. */
  public List<Mount> view(String key, String parent, String... labels) {
    return stub()
        .view(
            ViewSnapshotRequest.newBuilder()
                .setSnapshotter(SNAPSHOTTER)
                .setKey(key)
                .setParent(parent)
                .putAllLabels(labels(labels))
                .build())
        .getMountsList();
  }

  public List<Mount> mounts(String key) {
    return stub()
        .mounts(MountsRequest.newBuilder().setSnapshotter(SNAPSHOTTER).setKey(key).build())
        .getMountsList();
  }

  /**
   * Commits an active snapshot.
   *
   * @param parent as the request says it; empty as containerd before 2.1 does
   */
  public void commit(String name, String key, String parent, String... labels) {
    var _ =
        stub()
            .commit(
                CommitSnapshotRequest.newBuilder()
                    .setSnapshotter(SNAPSHOTTER)
                    .setName(name)
                    .setKey(key)
                    .setParent(parent)
                    .putAllLabels(labels(labels))
                    .build());
  }

  public void remove(String key) {
    var _ =
        stub()
            .remove(
                RemoveSnapshotRequest.newBuilder().setSnapshotter(SNAPSHOTTER).setKey(key).build());
  }

  public Info stat(String key) {
    return stub()
        .stat(StatSnapshotRequest.newBuilder().setSnapshotter(SNAPSHOTTER).setKey(key).build())
        .getInfo();
  }

  /** Changes what {@code paths} name; no path means all that can be changed. */
  public Info update(Info info, String... paths) {
    return stub()
        .update(
            UpdateSnapshotRequest.newBuilder()
                .setSnapshotter(SNAPSHOTTER)
                .setInfo(info)
                .setUpdateMask(FieldMask.newBuilder().addAllPaths(List.of(paths)))
                .build())
        .getInfo();
  }

  /** What any of the filters selects; all, without a filter. */
  public List<Info> list(String... filters) {
    List<Info> found = new ArrayList<>();
    stub()
        .list(
            ListSnapshotsRequest.newBuilder()
                .setSnapshotter(SNAPSHOTTER)
                .addAllFilters(List.of(filters))
                .build())
        .forEachRemaining(block -> found.addAll(block.getInfoList()));
    return found;
  }

  /** The committed snapshot of a lazy layer, by the filter that containerd uses. */
  public Info lazy(String chainId, String parent) {
    String filter = "labels.\"%s\"==%s,parent==\"%s\"".formatted(REF, chainId, parent);
    List<Info> found = list(filter);
    if (found.size() != 1
        || found.getFirst().getKind() != sluice.api.containerd.snapshots.Kind.COMMITTED) {
      throw new AssertionError("one committed snapshot expected for " + filter + ": " + found);
    }
    return found.getFirst();
  }

  public UsageResponse usage(String key) {
    return stub().usage(UsageRequest.newBuilder().setSnapshotter(SNAPSHOTTER).setKey(key).build());
  }

  public void cleanup() {
    var _ = stub().cleanup(CleanupRequest.newBuilder().setSnapshotter(SNAPSHOTTER).build());
  }

  /**
   * Labels with {@link #GC_ROOT} among them.
   *
   * @param labels keys and values by turns
   */
  public static Map<String, String> labels(String... labels) {
    Map<String, String> all = new HashMap<>();
    all.put(GC_ROOT, "2026-01-01T00:00:00Z");
    for (int i = 0; i < labels.length; i += 2) {
      all.put(labels[i], labels[i + 1]);
    }
    return all;
  }
}
