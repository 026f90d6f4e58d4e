package sluice.snapshotter.check;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.erofs.Inode;
import sluice.erofs.MetadataImage;

/**
 * The directories of an image of which the topmost layer that has something in them has no entry.
 * For one thread.
 */
final class ImpliedDirectories implements Closeable {

  /** As {@code sluice.erofs} marks them in layers' trees. */
  private static final Bytes IMPLIED = Bytes.utf8("trusted.sluice.implied");

  private final List<MetadataImage> topmostFirst = new ArrayList<>();

  private ImpliedDirectories() {}

  /**
   * Opens the layers' trees; the caller closes what is returned.
   *
   * @param layers lowest first
   */
  static ImpliedDirectories open(List<Path> layers) throws IOException {
    ImpliedDirectories opened = new ImpliedDirectories();
    try {
      for (Path layer : layers.reversed()) {
        opened.topmostFirst.add(MetadataImage.open(layer));
      }
      return opened;
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  /**
   * Whether a directory of the merged tree is one of them.
   *
   * @param path from the root, without a slash before it
   */
  boolean contains(Bytes path) throws CorruptException {
    for (MetadataImage layer : topmostFirst) {
      long nid = find(layer, path);
      if (nid != MetadataImage.NO_ENTRY) {
        return layer.xattr(layer.inode(nid), IMPLIED) != null;
      }
    }
    return false;
  }

  private static long find(MetadataImage layer, Bytes path) throws CorruptException {
    long nid = layer.rootNid();
    for (int from = 0; from < path.length(); ) {
      int slash = path.indexOf((byte) '/', from);
      int to = slash < 0 ? path.length() : slash;
      Inode directory = layer.inode(nid);
      nid =
          directory.isDirectory()
              ? layer.lookup(directory, path.slice(from, to))
              : MetadataImage.NO_ENTRY;
      if (nid == MetadataImage.NO_ENTRY) {
        return nid;
      }
      from = to + 1;
    }
    return nid;
  }

  @Override
  public void close() {
    topmostFirst.forEach(MetadataImage::close);
  }
}
