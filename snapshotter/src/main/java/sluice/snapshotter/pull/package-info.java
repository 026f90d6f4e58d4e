/**
 * Brings images into containerd without their layers, as containerd's own clients would if they
 * named each layer to the snapshotter.
 *
 * <p>{@link sluice.snapshotter.pull.ImagePull} drives containerd; {@link
 * sluice.snapshotter.pull.PulledImage} is what came of it, and {@link
 * sluice.snapshotter.pull.PullListener} is told meanwhile.
 */
@NullMarked
package sluice.snapshotter.pull;

import org.jspecify.annotations.NullMarked;
