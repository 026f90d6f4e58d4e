/**
 * What claims of speed and size rest on. {@code bin/benchmark} runs it; README.md of this module
 * has figures.
 *
 * <p>A benchmark runs in one process and has the mounts that it reads served by another, a {@link
 * sluice.benchmarks.Server}: a process must not touch what it serves itself. What it needs lies in
 * a {@link sluice.benchmarks.Scratch} directory, which is gone afterwards, also after a signal. A
 * {@link sluice.benchmarks.Target} is a directory that is read, a {@link sluice.benchmarks.Measure}
 * is what is measured on it.
 *
 * <p>This package, like {@code sluice.command}, speaks to a person and may print to standard
 * output.
 */
@NullMarked
package sluice.benchmarks;

import org.jspecify.annotations.NullMarked;
