/**
 * The store of snapshots: one SQLite database in the daemon's root directory.
 *
 * <p>{@link sluice.snapshotter.store.SqliteSnapshotStore} is the store; {@link
 * sluice.snapshotter.store.RootLock} keeps a second daemon out of the root directory.
 */
@NullMarked
package sluice.snapshotter.store;

import org.jspecify.annotations.NullMarked;
