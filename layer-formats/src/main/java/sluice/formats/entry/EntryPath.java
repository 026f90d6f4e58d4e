package sluice.formats.entry;

import java.util.function.Function;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.erofs.TreePath;

/** Paths of entries. */
final class EntryPath {

  private EntryPath() {}

  /**
   * A clean path of which every part can be the name of a file.
   *
   * @param wrong makes the error of a path that is none
   */
  static Bytes clean(Bytes name, Function<String, CorruptException> wrong) throws CorruptException {
    Bytes path = TreePath.clean(name).orElseThrow(() -> wrong.apply("has a NUL in it"));
    if (path.length() > EntryLimits.MAX_PATH_BYTES) {
      throw wrong.apply(
          "is %d bytes long, at most %d".formatted(path.length(), EntryLimits.MAX_PATH_BYTES));
    }
    int partAt = 0;
    for (int i = 0; i <= path.length(); i++) {
      if (i == path.length() || path.at(i) == '/') {
        if (i - partAt > EntryLimits.MAX_NAME_BYTES) {
          throw wrong.apply(
              "has a part of %d bytes, at most %d"
                  .formatted(i - partAt, EntryLimits.MAX_NAME_BYTES));
        }
        partAt = i + 1;
      }
    }
    return path;
  }
}
