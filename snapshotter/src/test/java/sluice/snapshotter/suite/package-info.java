/**
 * Containerd's protocol over the real socket and with real mounts.
 *
 * <p>{@link sluice.snapshotter.suite.TestDaemon} is a daemon with a root directory of its own;
 * {@link sluice.snapshotter.suite.DirectoryLayers} are lazy layers that lie in directories, so that
 * a test can break or stall one at will. The cases of containerd's own suite run in {@code
 * command}, on images from a registry.
 */
@NullMarked
package sluice.snapshotter.suite;

import org.jspecify.annotations.NullMarked;
