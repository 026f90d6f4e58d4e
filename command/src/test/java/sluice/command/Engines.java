package sluice.command;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import sluice.core.ImageReference;
import sluice.core.IndexTrust;
import sluice.core.Platform;
import sluice.fuse.FuseOptions;
import sluice.fuse.Transport;

/** Engines in this process, with all formats, and images that are mounted without containerd. */
final class Engines {

  private static final int PARALLEL_STREAMS = 4;

  private Engines() {}

  /** Opens one that trusts what the image's digest vouches for; the caller closes it. */
  static Engine open(Path root) throws IOException {
    return open(root, IndexTrust.PINNED, Engine.Listeners.NONE);
  }

  /** Opens one; the caller closes it. */
  static Engine open(Path root, IndexTrust trust, Engine.Listeners listeners) throws IOException {
    return Engine.open(root, new Engine.Indexes(List.of(), trust, PARALLEL_STREAMS), listeners);
  }

  /** Mounts the image of the fixtures' platform; the caller closes it. */
  static ImageMount mount(Engine engine, String reference, Path directory)
      throws IOException, InterruptedException {
    return mount(engine, reference, directory, Transport.RAW);
  }

  /** As {@link #mount(Engine, String, Path)}, by a transport. */
  static ImageMount mount(Engine engine, String reference, Path directory, Transport transport)
      throws IOException, InterruptedException {
    return ImageMount.open(
        engine,
        ImageReference.parse(reference),
        directory,
        new ImageMount.How(Platform.parse("linux/amd64"), transport, FuseOptions.forContainers()));
  }
}
