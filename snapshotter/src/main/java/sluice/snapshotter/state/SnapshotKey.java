package sluice.snapshotter.state;

/**
 * Names a snapshot. Snapshots of different snapshotters do not see each other.
 *
 * @param snapshotter the proxy plugin's name in containerd
 * @param name the key while the snapshot is active or a view, the name once it is committed
 */
public record SnapshotKey(String snapshotter, String name) {

  /** The key of another snapshot of the same snapshotter. */
  public SnapshotKey sibling(String other) {
    return new SnapshotKey(snapshotter, other);
  }

  @Override
  public String toString() {
    return snapshotter + ":" + name;
  }
}
