package sluice.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import sluice.core.Bytes;

/**
 * Makes an OCI layer of the upper directory of an overlay: whiteouts and opaque directories become
 * the markers of the image specification, and GNU tar writes the rest.
 */
public final class UpperLayer {

  private static final Bytes OPAQUE = Bytes.utf8("trusted.overlay.opaque");

  private UpperLayer() {}

  /**
   * Packs a directory, which is of no use as an upper directory afterwards. Whiteouts and opaque
   * directories must have names that are UTF-8.
   *
   * @param name said in the tar's global header: layers of other names are other blobs, also with
   *     equal content
   * @param tar a file that does not exist yet
   */
  public static void pack(Path upper, String name, Path tar) throws IOException {
    for (Map.Entry<Bytes, TreeEntry> found : TreeListing.of(upper).entries().entrySet()) {
      TreeEntry entry = found.getValue();
      if (isWhiteout(entry)) {
        Path whiteout = upper.resolve(found.getKey().toString());
        Files.delete(whiteout);
        Files.createFile(whiteout.resolveSibling(".wh." + whiteout.getFileName()));
      } else if (entry.xattrs().containsKey(OPAQUE)) {
        Files.createFile(upper.resolve(found.getKey().toString()).resolve(".wh..wh..opq"));
      }
    }
    Mounted.run(
        upper,
        "tar",
        "--create",
        "--format=posix",
        "--pax-option=comment=" + name,
        "--sort=name",
        "--numeric-owner",
        "--xattrs",
        "--xattrs-include=*",
        "--file=" + tar,
        ".");
  }

  private static boolean isWhiteout(TreeEntry entry) {
    return entry.type() == FileType.CHAR && new TreeEntry.DeviceNumber(0, 0).equals(entry.device());
  }
}
