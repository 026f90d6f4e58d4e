/**
 * Mount drivers: how a metadata image and its devices become a directory.
 *
 * <p>Each driver is a {@link sluice.core.RootfsMounter}. {@link sluice.mount.FuseRootfsMounter}
 * serves all images of the host by one FUSE mount and binds each to its place.
 */
@NullMarked
package sluice.mount;

import org.jspecify.annotations.NullMarked;
