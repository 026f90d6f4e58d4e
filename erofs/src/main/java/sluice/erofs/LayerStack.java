package sluice.erofs;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * The images of layers, lowest first, and how they lie over each other: which of the layers' inodes
 * make up a path.
 */
final class LayerStack implements Closeable {

  /** An inode of a layer. */
  record Source(int layer, Inode inode) {}

  /**
   * What several layers' inodes of one name are together, topmost first.
   *
   * @param parts the one that is seen; or the directories whose entries are seen, one over the
   *     other
   * @param attributes where a directory's attributes are; empty if all that could say are implied
   * @param cut whether something hides what lies below the lowest layer looked at
   * @param attributesCut whether attributes cannot come from below either
   */
  record Stacked(
      List<Source> parts, Optional<Source> attributes, boolean cut, boolean attributesCut) {
    Source top() {
      return parts.getFirst();
    }
  }

  private final List<MetadataImage> images = new ArrayList<>();

  private LayerStack() {}

  static LayerStack open(List<Path> files) throws IOException {
    LayerStack stack = new LayerStack();
    try {
      for (Path file : files) {
        MetadataImage image = MetadataImage.open(file);
        stack.images.add(image);
        if (image.superblock().blockBits() != ImagePlan.BLOCK_BITS) {
          throw new CorruptException(
              "blocks of %d bytes, only %d can be merged"
                  .formatted(image.superblock().blockBytes(), ImagePlan.BLOCK_BYTES),
              image.toString(),
              -1);
        }
      }
      return stack;
    } catch (IOException | RuntimeException | Error e) {
      stack.close();
      throw e;
    }
  }

  int size() {
    return images.size();
  }

  MetadataImage image(int layer) {
    return images.get(layer);
  }

  Source source(int layer, long nid) throws CorruptException {
    return new Source(layer, image(layer).inode(nid));
  }

  /** The roots of the layers below {@code end}, topmost first. */
  List<Source> roots(int end) throws CorruptException {
    List<Source> roots = new ArrayList<>();
    for (int layer = end - 1; layer >= 0; layer--) {
      Source root = source(layer, image(layer).rootNid());
      if (!root.inode.isDirectory()) {
        throw new CorruptException("root is no directory", image(layer).toString(), -1);
      }
      roots.add(root);
    }
    return roots;
  }

  /** Lays inodes of one name, topmost first and at least one, over each other. */
  Stacked stack(List<Source> sources) throws CorruptException {
    Source top = sources.getFirst();
    if (!top.inode.isDirectory()) {
      return new Stacked(List.of(top), Optional.of(top), true, true);
    }
    List<Source> parts = new ArrayList<>();
    Optional<Source> attributes = Optional.empty();
    boolean cut = false;
    for (Source source : sources) {
      if (!source.inode.isDirectory()) {
        return new Stacked(parts, attributes, true, true);
      }
      if (!cut) {
        parts.add(source);
      }
      if (attributes.isEmpty() && xattr(source, Marks.IMPLIED).isEmpty()) {
        attributes = Optional.of(source);
      }
      cut = cut || isOpaque(source);
      if (cut && attributes.isPresent()) {
        break;
      }
    }
    return new Stacked(parts, attributes, cut, attributes.isPresent());
  }

  /** Finds what a path is in the layers below {@code end}. */
  Optional<Source> find(Bytes path, int end) throws CorruptException {
    return walk(path, roots(end));
  }

  /** Finds what a path is in one layer alone. */
  Optional<Source> findIn(int layer, Bytes path) throws CorruptException {
    return walk(path, List.of(source(layer, image(layer).rootNid())));
  }

  private Optional<Source> walk(Bytes path, List<Source> roots) throws CorruptException {
    if (roots.isEmpty()) {
      return Optional.empty();
    }
    Stacked at = stack(roots);
    for (Bytes name : TreePath.split(path)) {
      List<Source> found = new ArrayList<>();
      for (Source directory : at.parts) {
        if (directory.inode.isDirectory()) {
          MetadataImage image = image(directory.layer);
          long nid = image.lookup(directory.inode, name);
          if (nid != MetadataImage.NO_ENTRY) {
            found.add(source(directory.layer, nid));
          }
        }
      }
      if (found.isEmpty()) {
        return Optional.empty();
      }
      at = stack(found);
    }
    return isWhiteout(at.top().inode) ? Optional.empty() : Optional.of(at.top());
  }

  static boolean isWhiteout(Inode inode) {
    return FileType.CHARACTER.of(inode.mode()) && inode.rdev() == 0;
  }

  private boolean isOpaque(Source directory) throws CorruptException {
    return xattr(directory, Marks.OPAQUE).filter(Marks.OPAQUE_VALUE::equals).isPresent();
  }

  /** The target of a hard link that is only marked; empty for every other inode. */
  Optional<Bytes> linkMark(Source source) throws CorruptException {
    return FileType.REGULAR.of(source.inode.mode()) && source.inode.sizeBytes() == 0
        ? xattr(source, Marks.LINK)
        : Optional.empty();
  }

  private Optional<Bytes> xattr(Source source, Bytes name) throws CorruptException {
    return Optional.ofNullable(image(source.layer).xattr(source.inode, name));
  }

  @Override
  public void close() {
    images.forEach(MetadataImage::close);
  }
}
