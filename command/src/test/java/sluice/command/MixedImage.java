package sluice.command;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import sluice.core.Descriptor;
import sluice.testing.LayoutWriter;

/**
 * An image whose layers lean on each other wherever one of them may be unpacked the ordinary way:
 * directories that are only implied, with xattrs and names that are not UTF-8; opaque directories
 * and whiteouts, each over the layer below; and, where it is asked for, a hard link.
 */
record MixedImage(Path layout, List<Descriptor> layers) {

  static final String TAG = "mixed";

  /** Version 2 of {@code struct vfs_cap_data}, {@code linux/capability.h}: CAP_NET_BIND_SERVICE. */
  private static final String CAPABILITY = "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

  private static final String RAW = "gr\u00fc\u00df";

  @FunctionalInterface
  private interface Entries {
    void to(LayerTar tar) throws IOException;
  }

  static MixedImage write(Path layout) throws IOException {
    return write(
        layout,
        tar -> tar.file("lowest"),
        MixedImage::base,
        MixedImage::attributes,
        MixedImage::implied,
        MixedImage::top);
  }

  /**
   * An image of three layers. The topmost has a hard link {@code attributes/link} to {@code target}
   * in the middle one; containerd can't unpack that onto an overlay.
   */
  static MixedImage writeLinked(Path layout) throws IOException {
    return write(
        layout,
        MixedImage::base,
        MixedImage::attributes,
        tar -> tar.hardLink("attributes/link", "target"));
  }

  private static MixedImage write(Path layout, Entries... parts) throws IOException {
    LayoutWriter writer = LayoutWriter.in(layout);
    List<Descriptor> layers = new ArrayList<>();
    for (Entries entries : parts) {
      Path file = layout.resolve("layer.tar");
      try (LayerTar tar = LayerTar.create(file)) {
        entries.to(tar);
      }
      layers.add(writer.layer(file));
    }
    var _ = writer.image(TAG, layers);
    return new MixedImage(layout, layers);
  }

  private static void base(LayerTar tar) throws IOException {
    tar.directory("below", 0750, "user.below", "yes")
        .file("below/a")
        .file("below/b")
        .directory("opaque", 0711)
        .directory("opaque/hidden", 0700)
        .file("opaque/hidden/old")
        .directory("gone", 0755)
        .file("gone/x")
        .file("replaced");
  }

  private static void attributes(LayerTar tar) throws IOException {
    tar.directory("attributes", 02751, "user.a", "1")
        .file("attributes/capable", "security.capability", CAPABILITY)
        .directory("attributes/deep", 01777, "user.deep", "")
        .directory(RAW, 0711, "user.raw", "3")
        .file(RAW + "/" + RAW)
        .whiteout("", "gone")
        .directory("opaque", 0705)
        .opaque("opaque")
        .file("opaque/new")
        .file("target")
        .directory("replaced", 0701)
        .file("replaced/in");
  }

  private static void implied(LayerTar tar) throws IOException {
    tar.file("attributes/deep/new")
        .file(RAW + "/new")
        .file("opaque/hidden/new")
        .file("below/c")
        .whiteout("below/", "a")
        .whiteout("replaced/", "in");
  }

  private static void top(LayerTar tar) throws IOException {
    tar.opaque("below")
        .file("below/d")
        .file("gone/again")
        .file("attributes/top")
        .whiteout("opaque/hidden/", "new")
        .file(RAW + "/top");
  }
}
