package sluice.snapshotter.containerd;

import io.grpc.Channel;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import sluice.api.containerd.snapshots.CommitSnapshotRequest;
import sluice.api.containerd.snapshots.PrepareSnapshotRequest;
import sluice.api.containerd.snapshots.PrepareSnapshotResponse;
import sluice.api.containerd.snapshots.RemoveSnapshotRequest;
import sluice.api.containerd.snapshots.SnapshotsGrpc;
import sluice.api.containerd.snapshots.StatSnapshotRequest;
import sluice.api.containerd.types.Mount;

/** Snapshots as containerd's own metadata store has them: by chain ID, in one namespace. */
public final class ContainerdSnapshots {

  /** What containerd says of a snapshotter that it has not (services/snapshots). */
  private static final String UNKNOWN_SNAPSHOTTER = "snapshotter not loaded";

  /** No key and no name of containerd or of us is that. */
  private static final String NO_SNAPSHOT = "-";

  private final String snapshotter;
  private final Channel channel;

  ContainerdSnapshots(String snapshotter, Channel channel) {
    this.snapshotter = snapshotter;
    this.channel = channel;
  }

  /** What became of a layer. */
  public sealed interface Prepared {
    /** It is there, so that it needs not be unpacked. */
    record AlreadyThere() implements Prepared {}

    /**
     * An active snapshot was made, into which the layer must be unpacked.
     *
     * @param key its name
     * @param mounts how to reach it
     */
    record ToBeUnpacked(String key, List<Mount> mounts) implements Prepared {
      public ToBeUnpacked {
        mounts = List.copyOf(mounts);
      }
    }
  }

  /**
   * Prepares a layer, as containerd's unpacker does. Waits as long as the snapshotter needs, which
   * for a layer that must be streamed is as long as its download.
   *
   * @param key name of the active snapshot, should there be one
   * @param parent chain ID of the layers below; empty for none
   * @param labels with {@code containerd.io/snapshot.ref}
   */
  public Prepared prepare(String key, String parent, Map<String, String> labels)
      throws IOException, InterruptedException {
    PrepareSnapshotRequest request =
        PrepareSnapshotRequest.newBuilder()
            .setSnapshotter(snapshotter)
            .setKey(key)
            .setParent(parent)
            .putAllLabels(labels)
            .build();
    try {
      PrepareSnapshotResponse response =
          Containerd.call(
              "prepare snapshot " + key,
              () -> SnapshotsGrpc.newBlockingStub(channel).prepare(request));
      return new Prepared.ToBeUnpacked(key, response.getMountsList());
    } catch (ContainerdException e) {
      if (e.reason() == ContainerdException.Reason.ALREADY_EXISTS) {
        return new Prepared.AlreadyThere();
      }
      throw e;
    }
  }

  /**
   * Makes sure that containerd has the snapshotter; the snapshotter itself is not asked.
   *
   * @throws IOException if not; the message says how to name it
   */
  void check() throws IOException, InterruptedException {
    try {
      boolean _ = exists(NO_SNAPSHOT);
    } catch (ContainerdException e) {
      String message = String.valueOf(e.getMessage());
      if (!message.contains(UNKNOWN_SNAPSHOTTER)) {
        throw e;
      }
      throw new IOException(
          "containerd has no snapshotter \"%1$s\"; its configuration must name it in [proxy_plugins.%1$s], then restart it (%2$s)"
              .formatted(snapshotter, message),
          e);
    }
  }

  /** Whether there is a snapshot of that name, or key. */
  public boolean exists(String name) throws IOException, InterruptedException {
    StatSnapshotRequest request =
        StatSnapshotRequest.newBuilder().setSnapshotter(snapshotter).setKey(name).build();
    try {
      Containerd.call("stat snapshot " + name, () -> stub().stat(request));
      return true;
    } catch (ContainerdException e) {
      if (e.reason() == ContainerdException.Reason.NOT_FOUND) {
        return false;
      }
      throw e;
    }
  }

  /** Commits an active snapshot. */
  public void commit(String name, String key, Map<String, String> labels)
      throws IOException, InterruptedException {
    CommitSnapshotRequest request =
        CommitSnapshotRequest.newBuilder()
            .setSnapshotter(snapshotter)
            .setName(name)
            .setKey(key)
            .putAllLabels(labels)
            .build();
    Containerd.call("commit snapshot " + key, () -> stub().commit(request));
  }

  /** Removes a snapshot. */
  public void remove(String name) throws IOException, InterruptedException {
    RemoveSnapshotRequest request =
        RemoveSnapshotRequest.newBuilder().setSnapshotter(snapshotter).setKey(name).build();
    Containerd.call("remove snapshot " + name, () -> stub().remove(request));
  }

  private SnapshotsGrpc.SnapshotsBlockingStub stub() {
    return Containerd.limited(SnapshotsGrpc.newBlockingStub(channel));
  }
}
