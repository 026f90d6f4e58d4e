package sluice.fuse;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.LazyDevice;

/** One image as a file system of its own. It lives until it is closed, whatever is forgotten. */
public final class ImageFileSystem implements ReadOnlyFileSystem {

  private final ServedImage image;

  private ImageFileSystem(ServedImage image) {
    this.image = image;
  }

  /**
   * Opens an image.
   *
   * @param name what logs call it
   * @param devices slot {@code i} of the image's device table is {@code devices[i]}; they stay the
   *     caller's
   * @param root name of the directory in the image's root that becomes the root of the file system;
   *     empty for the image's own root
   * @throws sluice.core.CorruptException if it is no metadata image, or has other devices
   */
  public static ImageFileSystem open(
      String name, Path metadataImage, List<LazyDevice> devices, Bytes root) throws IOException {
    return new ImageFileSystem(ServedImage.openAlone(name, metadataImage, devices, root));
  }

  private ServedImage image(long node) throws StaleNodeException {
    if (node != ROOT_NODE && NodeNumbers.imageOf(node) != image.number()) {
      throw new StaleNodeException(node);
    }
    return image;
  }

  @Override
  public boolean holdsAcls() {
    return image.holdsAcls();
  }

  @Override
  public NodeAttributes attributes(long node) throws IOException {
    return image(node).attributes(node);
  }

  @Override
  public long lookup(long directory, Bytes name) throws IOException {
    return image(directory).lookup(directory, name);
  }

  @Override
  public boolean lasting(long directory) {
    return true;
  }

  @Override
  public void list(long directory, long cookie, EntryVisitor visitor) throws IOException {
    image(directory).list(directory, cookie, visitor);
  }

  @Override
  public Bytes linkTarget(long node) throws IOException {
    return image(node).linkTarget(node);
  }

  @Override
  public Set<Bytes> xattrNames(long node) throws IOException {
    return image(node).xattrNames(node);
  }

  @Override
  public @Nullable Bytes xattr(long node, Bytes name) throws IOException {
    return image(node).xattr(node, name);
  }

  @Override
  public boolean supportsXattr(long node, Bytes name) throws IOException {
    return image(node).supportsXattr(name);
  }

  @Override
  public ReadPlan plan(long node, long offset, int lengthBytes) throws IOException {
    return image(node).plan(node, offset, lengthBytes);
  }

  @Override
  public OptionalLong seek(long node, long offset, boolean data) throws IOException {
    return image(node).seek(node, offset, data);
  }

  @Override
  public Statistics statistics() {
    return new Statistics(image.lengthBytes() / Statistics.BLOCK_BYTES, 0);
  }

  @Override
  public boolean retain(long node) {
    return true;
  }

  @Override
  public void forget(long node, long references) {
    // The mount, not the kernel's references, says how long the image lives.
  }

  @Override
  public void close() {
    image.close();
  }
}
