package sluice.snapshotter.image;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import sluice.core.Bytes;
import sluice.erofs.Attributes;
import sluice.erofs.DirectoriesBelow;
import sluice.erofs.DirectoryWalk;
import sluice.erofs.FileType;
import sluice.erofs.Inode;
import sluice.erofs.MetadataImage;

/**
 * The directories of the layers that stay below a merged image, as overlayfs will show them: the
 * topmost layer that has one says what it looks like, unless a layer above hides it.
 */
final class LayersBelow implements DirectoriesBelow, Closeable {

  private static final Bytes OPAQUE = Bytes.utf8("trusted.overlay.opaque");
  private static final Bytes OPAQUE_VALUE = Bytes.utf8("y");
  private static final Bytes IMPLIED = Bytes.utf8("trusted.sluice.implied");

  /** Topmost first. */
  private final List<View> views;

  private LayersBelow(List<View> views) {
    this.views = views;
  }

  /** What one layer says of a path. */
  private sealed interface Finding {
    /** Nothing: layers below it are asked. */
    record Nothing() implements Finding {}

    /** There is no directory, whatever lies below. */
    record Hidden() implements Finding {}

    /** There is one. */
    record Found(Attributes attributes) implements Finding {}
  }

  /** One layer. */
  private interface View extends Closeable {
    Finding find(Bytes path) throws IOException;

    @Override
    void close();
  }

  /**
   * Opens the layers.
   *
   * @param below lowest first
   * @param walk looks into those that were unpacked
   */
  static LayersBelow open(List<MergeInput.Below> below, DirectoryWalk walk) throws IOException {
    List<View> views = new ArrayList<>();
    LayersBelow layers = new LayersBelow(views);
    try {
      for (MergeInput.Below layer : below.reversed()) {
        views.add(
            switch (layer) {
              case MergeInput.Below.Local local -> new Unpacked(local.directory(), walk);
              case MergeInput.Below.Lazy lazy ->
                  new Image(MetadataImage.open(lazy.layer().metadataImage()));
            });
      }
      return layers;
    } catch (IOException | RuntimeException e) {
      layers.close();
      throw e;
    }
  }

  @Override
  public Optional<Attributes> attributes(Bytes path) throws IOException {
    for (View view : views) {
      switch (view.find(path)) {
        case Finding.Nothing() -> {}
        case Finding.Hidden() -> {
          return Optional.empty();
        }
        case Finding.Found(Attributes attributes) -> {
          return Optional.of(attributes);
        }
      }
    }
    return Optional.empty();
  }

  @Override
  public void close() {
    views.forEach(View::close);
  }

  private static List<Bytes> parts(Bytes path) {
    List<Bytes> parts = new ArrayList<>();
    for (int from = 0; from < path.length(); ) {
      int slash = path.indexOf((byte) '/', from);
      int to = slash < 0 ? path.length() : slash;
      parts.add(path.slice(from, to));
      from = to + 1;
    }
    return parts;
  }

  /** A lazy layer's own tree. */
  private record Image(MetadataImage image) implements View {

    @Override
    public Finding find(Bytes path) throws IOException {
      Inode at = image.inode(image.rootNid());
      boolean opaque = isMarked(at, OPAQUE);
      for (Bytes name : parts(path)) {
        long nid = image.lookup(at, name);
        if (nid == MetadataImage.NO_ENTRY) {
          return opaque ? new Finding.Hidden() : new Finding.Nothing();
        }
        at = image.inode(nid);
        if (FileType.ofMode(at.mode()) != FileType.DIRECTORY) {
          return new Finding.Hidden();
        }
        opaque |= isMarked(at, OPAQUE);
      }
      if (isMarked(at, IMPLIED)) {
        return opaque ? new Finding.Hidden() : new Finding.Nothing();
      }
      return new Finding.Found(
          new Attributes(
              at.mode(), at.uid(), at.gid(), at.mtimeSeconds(), at.mtimeNanos(), image.xattrs(at)));
    }

    private boolean isMarked(Inode inode, Bytes mark) throws IOException {
      return image.xattr(inode, mark) != null;
    }

    @Override
    public void close() {
      image.close();
    }
  }

  /** A directory that containerd unpacked a layer into, in the form that overlayfs wants. */
  private record Unpacked(Path directory, DirectoryWalk walk) implements View {

    @Override
    public Finding find(Bytes path) throws IOException {
      DirectoryWalk.Walked walked = walk.walk(directory, path);
      return switch (walked.end()) {
        case DIRECTORY -> new Finding.Found(walked.directories().getLast());
        case FILE -> new Finding.Hidden();
        case NOTHING ->
            walked.directories().stream().anyMatch(Unpacked::isOpaque)
                ? new Finding.Hidden()
                : new Finding.Nothing();
      };
    }

    private static boolean isOpaque(Attributes directory) {
      return OPAQUE_VALUE.equals(directory.xattrs().getOrDefault(OPAQUE, Bytes.EMPTY));
    }

    @Override
    public void close() {}
  }
}
