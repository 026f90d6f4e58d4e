package sluice.snapshotter.image;

import java.io.IOException;

/** Something that takes time and may fail. */
@FunctionalInterface
interface Work<V> {
  V run() throws IOException, InterruptedException;
}
