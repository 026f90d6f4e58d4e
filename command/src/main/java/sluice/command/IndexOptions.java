package sluice.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import sluice.command.index.IndexLayout;
import sluice.core.ImageReference;

/** What the commands on indexes have in common. */
final class IndexOptions {

  @Parameters(
      paramLabel = "IMAGE",
      converter = ReferenceConverter.class,
      description = "A registry reference, or oci:LAYOUT_DIR[:TAG].")
  private @Nullable ImageReference image;

  @Mixin private PlatformOption platform = new PlatformOption();

  @Option(
      names = "--root",
      paramLabel = "DIR",
      description =
          "Indexes are kept below it, and what is made on the way. Default: ${DEFAULT-VALUE}.")
  private Path root = Defaults.mountRoot();

  @Option(
      names = "--layout",
      paramLabel = "DIR",
      description = "An OCI image layout in which indexes are kept instead, until they are pushed.")
  private @Nullable Path layout;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  boolean json() {
    return json;
  }

  /** An existing directory for what is made on the way. */
  Path root() throws IOException {
    if (!Files.isDirectory(root)) {
      Engine.makePrivate(root);
    }
    return root;
  }

  IndexLayout layout() {
    return new IndexLayout(layout == null ? root.resolve("index-layout") : layout);
  }

  /** Looks the image up; the caller closes the result. */
  IndexedImage open(Progress progress) throws IOException, InterruptedException {
    if (image == null) {
      throw new IllegalArgumentException("picocli checks that it is given");
    }
    return IndexedImage.open(image, platform.platform(), progress.listeners().fetches());
  }
}
