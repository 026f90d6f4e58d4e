package sluice.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Something done to a tree. */
@FunctionalInterface
interface Change {

  void apply(Path root) throws IOException;

  static Change all(Change... changes) {
    return root -> {
      for (Change change : changes) {
        change.apply(root);
      }
    };
  }

  static Change all(List<Change> changes) {
    return all(changes.toArray(Change[]::new));
  }

  static Change file(String path, String content) {
    return root -> Files.writeString(root.resolve(path), content);
  }

  static Change directory(String path, String permissions) {
    return root -> {
      Path directory = Files.createDirectories(root.resolve(path));
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString(permissions));
    };
  }

  static Change mode(String path, String permissions) {
    return root ->
        Files.setPosixFilePermissions(
            root.resolve(path), PosixFilePermissions.fromString(permissions));
  }

  static Change owner(String path, int uid, int gid) {
    return root -> {
      Files.setAttribute(root.resolve(path), "unix:uid", uid);
      Files.setAttribute(root.resolve(path), "unix:gid", gid);
    };
  }

  /** Renames a file or a new directory. */
  static Change rename(String from, String to) {
    return root -> Files.move(root.resolve(from), root.resolve(to));
  }

  /** Deletes a file, or a directory with all that is in it. */
  static Change remove(String path) {
    return root -> {
      try (Stream<Path> tree = Files.walk(root.resolve(path))) {
        for (Path file : tree.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    };
  }
}
