package sluice.snapshotter.state;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where snapshots are remembered. Each call is one transaction, and when a call that changes
 * something returns, the change survives a loss of power. Safe for use by many threads.
 *
 * <p>Faults that follow from the snapshots themselves are {@link SnapshotException}s, and so are a
 * full disk and a damaged store.
 */
public interface SnapshotStore extends Closeable {

  /**
   * Adds an active snapshot or a view.
   *
   * @throws SnapshotException if the key exists, or the parent does not or is not committed
   */
  Snapshot create(SnapshotKey key, Kind kind, @Nullable String parent, Map<String, String> labels)
      throws IOException;

  /**
   * Commits an active snapshot under {@code name}: the key disappears, the id stays, the labels are
   * replaced.
   *
   * @throws SnapshotException if the key does not exist or is not active, or the name exists
   */
  Snapshot commit(SnapshotKey key, String name, Map<String, String> labels, Usage usage)
      throws IOException;

  /**
   * Adds a committed snapshot that was never active.
   *
   * @throws SnapshotException if the name exists, or the parent does not or is not committed
   */
  Snapshot commitLazy(
      SnapshotKey name, @Nullable String parent, Map<String, String> labels, LazyLayer layer)
      throws IOException;

  /**
   * Forgets a snapshot.
   *
   * @throws SnapshotException if it does not exist, or others stand on it
   */
  void remove(SnapshotKey key) throws IOException;

  /**
   * Changes labels.
   *
   * @throws SnapshotException if the snapshot does not exist
   */
  Snapshot update(SnapshotKey key, LabelChange change) throws IOException;

  Optional<Snapshot> find(SnapshotKey key) throws IOException;

  /**
   * The snapshot and those that it stands on, lowest first; it is the last one.
   *
   * @throws SnapshotException if it does not exist
   */
  List<Snapshot> chain(SnapshotKey key) throws IOException;

  /** All snapshots of one snapshotter, by name, as they were at one moment. */
  List<Snapshot> list(String snapshotter) throws IOException;

  /** All snapshots of all snapshotters, each after its parent, as they were at one moment. */
  List<Snapshot> all() throws IOException;

  /** The ids of all snapshots of all snapshotters. */
  Set<Long> ids() throws IOException;

  /** How many there are, of all snapshotters. */
  SnapshotCounts counts() throws IOException;

  /** Makes new labels of old ones; runs inside a transaction, so it only computes. */
  @FunctionalInterface
  interface LabelChange {
    Map<String, String> apply(Map<String, String> labels) throws SnapshotException;
  }
}
