/**
 * The cases of containerd's own suite for snapshotters, over the real socket and with real mounts.
 *
 * <p>{@link sluice.snapshotter.suite.TestDaemon} is a daemon with a root directory of its own;
 * {@link sluice.snapshotter.suite.Backend} speaks to it as containerd does, and decides whether a
 * committed layer becomes a local or a lazy one; {@link sluice.snapshotter.suite.Mounted} mounts
 * what it answers; {@link sluice.snapshotter.suite.DirectoryLayers} are lazy layers that lie in
 * directories.
 */
@NullMarked
package sluice.snapshotter.suite;

import org.jspecify.annotations.NullMarked;
