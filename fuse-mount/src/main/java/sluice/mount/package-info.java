/**
 * Mount drivers: how a metadata image and its devices become a directory.
 *
 * <p>Each driver is a {@link sluice.core.RootfsMounter}. {@link sluice.mount.FuseMounters} makes
 * the {@code fuse} driver, which serves all images of the host by one FUSE mount and binds each to
 * its place, and mounts single images on users' directories.
 */
@NullMarked
package sluice.mount;

import org.jspecify.annotations.NullMarked;
