package sluice.snapshotter.state;

/** How many snapshots of each kind there are. */
public record SnapshotCounts(long active, long views, long committedLocal, long committedLazy) {}
