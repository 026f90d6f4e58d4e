/**
 * FUSE through libfuse 2 and jnr-fuse, for hosts where {@code /dev/fuse} itself is not to be had.
 *
 * <p>libfuse asks by path, on threads of its own that call into the JVM: {@code JnrCallbacks} walks
 * the path and answers. Requests are at most 128 KiB, nothing survives the process, and names that
 * are not UTF-8 can't be passed, so images that hold such names are refused ({@code Utf8Names}).
 */
@NullMarked
package sluice.fuse.jnr;

import org.jspecify.annotations.NullMarked;
