package sluice.fuse.jnr;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import sluice.core.Bytes;
import sluice.fuse.ReadOnlyFileSystem;

/** Checks that an image's names can be passed as Java strings. */
final class Utf8Names {

  // readdir(3)
  private static final int DT_DIR = 4;

  private Utf8Names() {}

  /**
   * Walks the directories of a file system.
   *
   * @throws IOException if a name is not UTF-8; it says which, and what to do
   */
  static void require(String image, ReadOnlyFileSystem files) throws IOException {
    Set<Long> seen = new HashSet<>();
    Deque<Long> directories = new ArrayDeque<>();
    directories.add(ReadOnlyFileSystem.ROOT_NODE);
    while (!directories.isEmpty()) {
      long directory = directories.remove();
      if (seen.add(directory)) {
        files.list(
            directory,
            0,
            (next, node, ino, type, name) -> {
              requireUtf8(image, name);
              if (type == DT_DIR && !seen.contains(node)) {
                directories.add(node);
              }
              return true;
            });
      }
    }
  }

  private static void requireUtf8(String image, Bytes name) throws IOException {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(name.asBuffer());
    } catch (CharacterCodingException e) {
      throw new IOException(
          "image %s: the name \"%s\" is not UTF-8, which jnr-fuse can't pass; set fuse.transport to"
                  .formatted(image, name)
              + " \"raw\"",
          e);
    }
  }
}
