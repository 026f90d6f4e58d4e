package sluice.erofs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Bytes;
import sluice.testing.ErofsMount;
import sluice.testing.TreeListing;

/** Layers merged for overlayfs hide below them what they should, as the kernel sees it. */
class OverlayIT {

  private static final Attributes PLAIN = new Attributes(0644, 0, 0, 0, 0);

  @TempDir private Path scratch;

  @Test
  void mergeOver_hidesWhatLiesBelow() throws Exception {
    Path below = Files.createDirectory(scratch.resolve("below"));
    Commands.bash(
        below,
        """
        mkdir opaque replaced twice open implied; chmod 2711 implied; chown 5:6 implied
        touch gone kept opaque/below replaced/below twice/below open/below implied/below
        """);
    LayerTree lower = new LayerTree("lower");
    lower.whiteout(path("gone"));
    lower.opaque(path("opaque"));
    lower.file(path("replaced"), PLAIN, FileContent.empty());
    lower.whiteout(path("twice"));
    LayerTree upper = new LayerTree("upper");
    upper.directory(path("opaque"), PLAIN);
    upper.file(path("replaced/above"), PLAIN, FileContent.empty());
    upper.file(path("twice/above"), PLAIN, FileContent.empty());
    upper.file(path("open/above"), PLAIN, FileContent.empty());
    upper.file(path("implied/above"), PLAIN, FileContent.empty());
    Path image = scratch.resolve("merged");
    MetadataImageMerge.mergeOver(
        List.of(written("one", lower), written("two", upper)), inDirectory(below), image);

    Path mounted = Files.createDirectory(scratch.resolve("mounted"));
    Path overlay = Files.createDirectory(scratch.resolve("overlay"));
    try (ErofsMount _ = ErofsMount.of(image, List.of(), mounted)) {
      String lowers = "lowerdir=" + mounted.resolve("fs") + ":" + below;
      Commands.run("mount", "-t", "overlay", "-o", lowers, "overlay", overlay.toString());
      try {
        TreeListing tree = TreeListing.of(overlay);
        assertThat(new TreeSet<>(tree.entries().keySet()).toString())
            .isEqualTo(
                "[, implied, implied/above, implied/below, kept, opaque, open, open/above,"
                    + " open/below, replaced, replaced/above, twice, twice/above]");
        assertThat(tree.entry("implied").mode()).isEqualTo(02711);
        assertThat(tree.entry("implied").gid()).isEqualTo(6);
      } finally {
        Commands.run("umount", overlay.toString());
      }
    }
  }

  private Path written(String name, LayerTree tree) throws IOException {
    Path image = scratch.resolve(name);
    MetadataImageWriter.write(tree, List.of(), image);
    return image;
  }

  private static DirectoriesBelow inDirectory(Path directory) {
    return path -> {
      Path found = directory.resolve(path.toString());
      if (!Files.isDirectory(found)) {
        return Optional.empty();
      }
      return Optional.of(
          new Attributes(
              (int) Files.getAttribute(found, "unix:mode"),
              (int) Files.getAttribute(found, "unix:uid"),
              (int) Files.getAttribute(found, "unix:gid"),
              0,
              0));
    };
  }

  private static Bytes path(String path) {
    return Bytes.utf8(path);
  }
}
