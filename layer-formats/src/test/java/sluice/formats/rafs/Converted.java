package sluice.formats.rafs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerIndex;
import sluice.core.Repository;
import sluice.erofs.MetadataImage;
import sluice.formats.testing.Images;
import sluice.testing.FileType;
import sluice.testing.LayoutRangeSource;
import sluice.testing.Tree;
import sluice.testing.TreeEntry;

/** A converted image in a layout of its own. */
final class Converted {
  private final Path directory;
  private final RafsConverter.Converted image;

  private Converted(Path directory, RafsConverter.Converted image) {
    this.directory = directory;
    this.image = image;
  }

  /** Converts a tree into a layout at {@code directory}. */
  static Converted convert(
      MetadataImage tree,
      long rootNid,
      RafsConverter.DeviceReader reader,
      RafsConverter.Options options,
      Path directory)
      throws IOException, InterruptedException {
    Path blobs = Files.createDirectories(directory.resolve("blobs/sha256"));
    Path blob = directory.resolve("blob");
    Path layer = directory.resolve("layer");
    RafsConverter.Converted image =
        RafsConverter.convert(tree, rootNid, reader, blob, layer, options, done -> {});
    assertThat(Files.exists(blob)).isEqualTo(image.blob().isPresent());
    if (image.blob().isPresent()) {
      move(blob, blobs, image.blob().get());
    }
    move(layer, blobs, image.bootstrap());
    return new Converted(directory, image);
  }

  RafsConverter.Converted image() {
    return image;
  }

  private static void move(Path file, Path blobs, Descriptor descriptor) throws IOException {
    assertThat(Files.size(file)).isEqualTo(descriptor.sizeBytes());
    assertThat(Digest.sha256(Files.readAllBytes(file))).isEqualTo(descriptor.digest());
    Files.move(file, blobs.resolve(descriptor.digest().hex()), StandardCopyOption.REPLACE_EXISTING);
  }

  /** The tree as our own format shows it, and the devices that were added for it. */
  Tree readBack(MemoryDevices devices) throws IOException, InterruptedException {
    List<Descriptor> layers = new ArrayList<>();
    image.blob().ifPresent(layers::add);
    layers.add(image.bootstrap());
    LayerFormat.Layer layer =
        new LayerFormat.Layer(
            Images.of(
                new Repository.InLayout(directory),
                new ImageDocument.Manifest(image.bootstrap(), layers, Map.of(), null, null)),
            layers.size() - 1,
            image.bootstrapDiffId(),
            Set.of(new Repository.InLayout(directory)));
    Path file = directory.resolve("again.erofs");
    LayerIndex index = index(layer, new LayoutRangeSource(), devices, file);
    try (MetadataImage tree = MetadataImage.open(file)) {
      return ImageTree.read(tree, devices, index.devices());
    }
  }

  static LayerIndex index(
      LayerFormat.Layer layer, LayoutRangeSource source, MemoryDevices devices, Path file)
      throws IOException, InterruptedException {
    LayerFormat.Recognition recognition =
        new RafsFormat(source).recognise(layer, IndexTrust.PINNED);
    assertThat(recognition).isInstanceOf(LayerFormat.Recognition.ImageTree.class);
    return ((LayerFormat.Recognition.ImageTree) recognition).indexer().index(file, devices);
  }

  /** Lets nydus-image check it. */
  void check() throws IOException, InterruptedException {
    NydusImage.run(
        directory,
        "check",
        "--bootstrap",
        bootstrap().toString(),
        "--blob-dir",
        directory.resolve("blobs/sha256").toString());
  }

  /** Lets nydus-image unpack it; there must be a blob. */
  Tree unpack() throws IOException, InterruptedException {
    Path tar = directory.resolve("unpacked.tar");
    NydusImage.run(
        directory,
        "unpack",
        "--bootstrap",
        bootstrap().toString(),
        "--blob",
        directory
            .resolve("blobs/sha256")
            .resolve(image.blob().orElseThrow().digest().hex())
            .toString(),
        "--output",
        tar.toString());
    return TarTree.read(tar);
  }

  /** What {@link #unpack} can show of a tree; nydus-image writes no entry for the root. */
  static Tree asUnpacked(Tree tree) {
    SortedMap<Bytes, TreeEntry> entries = new TreeMap<>();
    tree.entries().forEach((path, entry) -> entries.put(path, withTextXattrs(entry)));
    entries.remove(Bytes.EMPTY);
    return () -> entries;
  }

  private static TreeEntry withTextXattrs(TreeEntry entry) {
    SortedMap<Bytes, Bytes> xattrs = new TreeMap<>();
    entry.xattrs().forEach((name, value) -> xattrs.put(name, Bytes.utf8(value.toString())));
    return new TreeEntry(
        entry.type(),
        entry.mode(),
        entry.uid(),
        entry.gid(),
        entry.size(),
        entry.mtime(),
        entry.target(),
        entry.device(),
        entry.nlink(),
        entry.same(),
        xattrs,
        entry.content());
  }

  /** nydus-image 2.4 unpacks no tree with a block device or a fifo: it panics, on its own too. */
  static boolean unpackable(Tree tree) {
    return tree.entries().values().stream()
        .noneMatch(entry -> entry.type() == FileType.BLOCK || entry.type() == FileType.FIFO);
  }

  private Path bootstrap() throws IOException {
    Path bootstrap = directory.resolve("image.boot");
    Path layer = directory.resolve("blobs/sha256").resolve(image.bootstrap().digest().hex());
    try (InputStream in = new GZIPInputStream(Files.newInputStream(layer));
        TarArchiveInputStream tar = new TarArchiveInputStream(in)) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        if (entry.getName().equals("image/image.boot")) {
          Files.copy(tar, bootstrap, StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
    return bootstrap;
  }
}
