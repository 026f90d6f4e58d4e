package sluice.snapshotter.image;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import sluice.core.Bytes;
import sluice.erofs.Attributes;
import sluice.erofs.DirectoriesBelow;
import sluice.erofs.FileType;
import sluice.erofs.Inode;
import sluice.erofs.MetadataImage;

/**
 * The directories of the layers that stay below a merged image, as overlayfs will show them: the
 * topmost layer that has one says what it looks like, unless a layer above hides it.
 *
 * <p>Of a directory that containerd unpacked, mode, owner and time are read, and no xattrs; one
 * whose name is not UTF-8 is not found, because Java cannot name it.
 */
final class LayersBelow implements DirectoriesBelow, Closeable {

  private static final Bytes OPAQUE = Bytes.utf8("trusted.overlay.opaque");
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
   */
  static LayersBelow open(List<MergeInput.Below> below) throws IOException {
    List<View> views = new ArrayList<>();
    LayersBelow layers = new LayersBelow(views);
    try {
      for (MergeInput.Below layer : below.reversed()) {
        views.add(
            switch (layer) {
              case MergeInput.Below.Local local -> new Unpacked(local.directory());
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

  /** A directory that containerd unpacked a layer into. */
  private record Unpacked(Path directory) implements View {

    private static final String ATTRIBUTES = "unix:mode,uid,gid,lastModifiedTime";

    @Override
    public Finding find(Bytes path) throws IOException {
      Path at = directory;
      for (Bytes name : parts(path)) {
        Optional<Path> next = child(at, name);
        if (next.isEmpty()) {
          return new Finding.Nothing();
        }
        at = next.get();
        if (!Files.exists(at, LinkOption.NOFOLLOW_LINKS)) {
          return new Finding.Nothing();
        }
        if (!Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
          return new Finding.Hidden();
        }
      }
      try {
        return new Finding.Found(attributes(at));
      } catch (NoSuchFileException e) {
        return new Finding.Nothing();
      }
    }

    private static Optional<Path> child(Path parent, Bytes name) {
      try {
        return Optional.of(parent.resolve(name.toString()));
      } catch (InvalidPathException e) {
        return Optional.empty();
      }
    }

    private static Attributes attributes(Path path) throws IOException {
      Map<String, Object> read = Files.readAttributes(path, ATTRIBUTES, LinkOption.NOFOLLOW_LINKS);
      if (!(read.get("mode") instanceof Integer mode)
          || !(read.get("uid") instanceof Integer uid)
          || !(read.get("gid") instanceof Integer gid)
          || !(read.get("lastModifiedTime") instanceof FileTime time)) {
        throw new IOException(path + ": the attributes " + ATTRIBUTES + " are not there: " + read);
      }
      Instant instant = time.toInstant();
      return new Attributes(
          mode & 0xffff,
          Integer.toUnsignedLong(uid),
          Integer.toUnsignedLong(gid),
          instant.getEpochSecond(),
          instant.getNano());
    }

    @Override
    public void close() {}
  }
}
