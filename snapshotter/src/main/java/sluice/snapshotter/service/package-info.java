/**
 * The gRPC edge: turns calls of containerd and of the {@code sluice} command into calls on the
 * state machine, and what comes of them into replies. Decides nothing.
 *
 * <p>{@link sluice.snapshotter.service.SocketServer} listens, {@link
 * sluice.snapshotter.service.SnapshotsService} and {@link
 * sluice.snapshotter.service.ControlService} and {@link sluice.snapshotter.service.CacheService}
 * are what it serves, and {@code StatusMapping} is the only place that knows which fault has which
 * gRPC status.
 */
@NullMarked
package sluice.snapshotter.service;

import org.jspecify.annotations.NullMarked;
