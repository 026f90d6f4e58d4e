/**
 * The FUSE protocol spoken on {@code /dev/fuse} itself ({@code linux/fuse.h}, protocol 7.31 to
 * 7.41), without libfuse and without calls from native code.
 *
 * <p>A {@link sluice.fuse.raw.RawFuseSession} is one mount and its one file descriptor. Its
 * <em>readers</em> take requests and answer at once what needs no waiting; the <em>disk pool</em>
 * answers reads that wait for the disk; {@code Misses} are reads whose bytes are not local, each a
 * virtual thread that waits for them and then hands over to the disk pool.
 */
@NullMarked
package sluice.fuse.raw;

import org.jspecify.annotations.NullMarked;
