package sluice.erofs;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;

/**
 * Merges per-layer images into the image of their chain, which can be mounted: the tree lies below
 * a directory {@code fs}, no private mark is left, and there is one device slot per tag, in the
 * order in which the layers, lowest first, name them. The same images give the same bytes.
 *
 * <ul>
 *   <li>Whiteouts and opaque directories hide what lies below them.
 *   <li>An implied directory has mode, owner, time and xattrs of the directory below; where there
 *       is none, 0755, 0:0, time 0 and none. So has {@code /}.
 *   <li>A hard link into a lower layer is one more name of that file, and its own attributes hold
 *       for all names. Link counts are those of the names that are left.
 * </ul>
 *
 * <p>A tree of a whole image, like that of a RAFS bootstrap, is merged alone. The layers' images
 * need not be trusted. Memory is about 200 bytes for each inode and its name, only while merging,
 * and of the {@link TreeRoom}, for which it waits.
 */
public final class MetadataImageMerge {

  /** The directory of a merged image that holds the tree; its root holds nothing else. */
  public static final Bytes TREE = TreeMerger.TREE;

  private MetadataImageMerge() {}

  /**
   * Merges layers that lie on nothing.
   *
   * @param layers images, lowest first, at least one
   * @param out a file that does not exist yet; if merging fails, no file is left
   * @throws UnresolvedLinkException if a hard link's target is in none of them
   * @throws sluice.core.CorruptException if an image breaks the format or cannot be merged
   */
  public static void merge(List<Path> layers, Path out) throws IOException {
    mergeLayers(layers, null, out);
  }

  /**
   * Merges layers that overlayfs will lay over others: what hides something there is kept as
   * overlayfs wants it, whiteouts as character devices 0:0 and {@code trusted.overlay.opaque}. A
   * whiteout in a directory that hides all below it, or that is not there below, is left out:
   * overlayfs would list it.
   *
   * @param below gives the attributes that implied directories take from there
   * @throws UnresolvedLinkException if a hard link's target is in none of the layers: its layer
   *     must be unpacked the ordinary way
   * @throws sluice.core.CorruptException if an image breaks the format or cannot be merged
   */
  public static void mergeOver(List<Path> layers, DirectoriesBelow below, Path out)
      throws IOException {
    mergeLayers(layers, below, out);
  }

  private static void mergeLayers(List<Path> layers, @Nullable DirectoriesBelow below, Path out)
      throws IOException {
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("merge: no layers");
    }
    try (TreeShare room = room(layers)) {
      merge(layers, below, room, out);
    }
  }

  private static TreeShare room(List<Path> layers) throws InterruptedIOException {
    String resource =
        "merge of %d layers, the last of them %s".formatted(layers.size(), layers.getLast());
    try {
      return TreeRoom.ofProcess().table(resource);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for room for " + resource);
    }
  }

  /** Merges layers into what {@code growth} lets it take. */
  static void merge(
      List<Path> layers, @Nullable DirectoriesBelow below, LayerTree.Growth growth, Path out)
      throws IOException {
    try (LayerStack stack = LayerStack.open(layers)) {
      MergedDevices devices = MergedDevices.of(stack);
      MergedTree tree = TreeMerger.merge(stack, devices, below, growth);
      MetadataImageWriter.write(tree, devices.slots(), growth, out);
    }
  }
}
