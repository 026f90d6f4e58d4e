/**
 * containerd's own services, as Sluice calls them.
 *
 * <p>{@link sluice.snapshotter.containerd.SocketChannel} is the way to any gRPC server on a Unix
 * domain socket; {@link sluice.snapshotter.containerd.Containerd} is what {@code sluice pull} and
 * the image lifecycle ask of containerd: content, images, leases and snapshots of one namespace.
 */
@NullMarked
package sluice.snapshotter.containerd;

import org.jspecify.annotations.NullMarked;
