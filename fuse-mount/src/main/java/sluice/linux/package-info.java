/**
 * Linux system calls by {@code java.lang.foreign}, where the JDK has none for what is needed.
 *
 * <p>{@link sluice.linux.Linux} makes the calls; a failed one is a {@link
 * sluice.linux.LinuxException} that holds its {@link sluice.linux.Errno}, except on the paths where
 * a failure is the ordinary case: those return the negative errno. {@link sluice.linux.MountTable}
 * reads what is mounted. Numbers and layouts are those of x86-64 and arm64, which agree in all that
 * is used here except where it is said.
 *
 * <p>A downcall pins the carrier of a virtual thread: calls that can block belong on platform
 * threads.
 */
@NullMarked
package sluice.linux;

import org.jspecify.annotations.NullMarked;
