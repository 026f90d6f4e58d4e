package sluice.erofs;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.erofs.DirectoryCursor.Entry;
import sluice.erofs.LayerStack.Source;

/**
 * Where hard links lead that a layer's image keeps as marks: to the layers below or, failing that,
 * to a later entry of their own layer.
 */
public final class LinkTargets {

  /** From link to link; real layers need one step. */
  private static final int MAX_STEPS = 1000;

  private final LayerStack layers;

  LinkTargets(LayerStack layers) {
    this.layers = layers;
  }

  /**
   * Checks that the topmost of these layers has no hard link into a layer that is not among them.
   * Takes the time that reading its inodes takes.
   *
   * @param layers images, lowest first, at least one
   * @throws UnresolvedLinkException if one leads to none of them
   * @throws CorruptException if an image breaks the format
   */
  public static void requireResolved(List<Path> layers) throws IOException {
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("link targets: no layers");
    }
    try (LayerStack stack = LayerStack.open(layers)) {
      new LinkTargets(stack).resolveAll(stack.size() - 1);
    }
  }

  /** Resolves every link of a layer, directory by directory. */
  private void resolveAll(int layer) throws IOException {
    MetadataImage image = layers.image(layer);
    long entriesLeft = image.lengthBytes() / DirectoryReader.DIRENT_BYTES;
    // Numbers, as a layer may have a million directories.
    LongColumn directories = new LongColumn();
    directories.add(image.rootNid());
    for (int next = 0; next < directories.size(); next++) {
      Inode directory = image.inode(directories.get(next));
      DirectoryCursor cursor = new DirectoryCursor(layer, image, directory);
      for (Entry entry = cursor.peek(); entry != null; entry = cursor.peek()) {
        if (--entriesLeft < 0) {
          throw new CorruptException(
              "more directory entries than the image has room for", image.toString(), -1);
        }
        Source source = layers.source(layer, entry.nid());
        Optional<Bytes> target = layers.linkMark(source);
        if (target.isPresent()) {
          var _ = resolve(source, target.get());
        } else if (source.inode().isDirectory()) {
          directories.add(entry.nid());
        }
        cursor.advance();
      }
    }
  }

  /** Follows a link to the inode that holds the data. */
  Source resolve(Source link, Bytes firstTarget) throws IOException {
    Source at = link;
    Bytes target = firstTarget;
    for (int step = 0; step < MAX_STEPS; step++) {
      int layer = at.layer();
      Optional<Source> found = layers.find(target, layer);
      if (found.isEmpty()) {
        found = layers.findIn(layer, target);
      }
      if (found.isEmpty() || found.get().inode().isDirectory()) {
        throw new UnresolvedLinkException(
            link.layer(), layers.image(link.layer()).toString(), firstTarget);
      }
      at = found.get();
      Optional<Bytes> next = layers.linkMark(at);
      if (next.isEmpty()) {
        return at;
      }
      target = next.get();
    }
    throw new CorruptException(
        "hard link to \"%s\" leads in a circle".formatted(firstTarget),
        layers.image(link.layer()).toString(),
        -1);
  }
}
