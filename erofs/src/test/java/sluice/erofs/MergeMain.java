package sluice.erofs;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Merges images in a JVM of its own, whose heap a test can bound. */
final class MergeMain {

  private MergeMain() {}

  /** Takes the layers, lowest first, and the file to write. */
  public static void main(String[] arguments) throws IOException {
    List<Path> paths = Arrays.stream(arguments).map(Path::of).toList();
    MetadataImageMerge.merge(paths.subList(0, paths.size() - 1), paths.getLast());
  }
}
