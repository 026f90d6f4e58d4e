package sluice.formats.toc;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.LayerIndex;
import sluice.core.LayerIndex.PrefetchHint;
import sluice.erofs.MetadataImageMerge;
import sluice.formats.estargz.EstargzFormat;
import sluice.formats.testing.ImageTree;
import sluice.formats.testing.Images;
import sluice.formats.testing.PlainDevices;
import sluice.formats.zstdchunked.ZstdChunkedFormat;
import sluice.testing.Fixtures;
import sluice.testing.LayoutRangeSource;
import sluice.testing.Tree;

/** A fixture's image, indexed by its TOCs and merged. */
final class TocImage {

  private final PlainDevices devices;
  private final Path merged;
  private final List<PrefetchHint> hints;
  private final long requests;
  private final long bytes;

  private TocImage(
      PlainDevices devices, Path merged, List<PrefetchHint> hints, long requests, long bytes) {
    this.devices = devices;
    this.merged = merged;
    this.hints = hints;
    this.requests = requests;
    this.bytes = bytes;
  }

  /** Whether a fixture's tag is of an image whose layers have TOCs. */
  static boolean isToc(String tag) {
    return (tag.startsWith("esgz") || tag.startsWith("zstdc-")) && !tag.endsWith("-esgztoc");
  }

  static TocImage index(Fixtures fixture, String tag, Path directory)
      throws IOException, InterruptedException {
    Files.createDirectories(directory);
    LayoutRangeSource source = new LayoutRangeSource();
    LayoutDocuments documents = new LayoutDocuments();
    LayerFormat format =
        tag.startsWith("esgz")
            ? new EstargzFormat(source, documents)
            : new ZstdChunkedFormat(source);
    PlainDevices devices = new PlainDevices(directory, source);
    LayerFormat.Image image = Images.of(fixture, tag);
    List<Path> trees = new ArrayList<>();
    List<PrefetchHint> hints = new ArrayList<>();
    for (int i = 0; i < image.manifest().layers().size(); i++) {
      LayerFormat.Layer layer =
          new LayerFormat.Layer(
              image, i, fixture.diffIds(tag).get(i), Set.of(fixture.repository()));
      LayerIndex index = index(format, layer, directory.resolve("layer" + i), devices);
      trees.add(index.metadataImage());
      hints.addAll(index.hints());
    }
    Path merged = directory.resolve("merged");
    MetadataImageMerge.merge(trees, merged);
    return new TocImage(
        devices, merged, hints, source.requests() + documents.requests(), source.bytes());
  }

  private static LayerIndex index(
      LayerFormat format, LayerFormat.Layer layer, Path image, PlainDevices devices)
      throws IOException, InterruptedException {
    if (format.recognise(layer, IndexTrust.PINNED)
        instanceof Recognition.Tree(LayerFormat.Indexer indexer, var origin)) {
      if (origin.binding() != Binding.IMAGE || indexer.streams()) {
        throw new AssertionError(origin);
      }
      return indexer.index(image, devices);
    }
    throw new AssertionError(layer.descriptor() + " is not recognised");
  }

  /** The merged tree; fetches all of the devices. */
  Tree tree() throws IOException {
    return ImageTree.of(merged, devices);
  }

  Path merged() {
    return merged;
  }

  List<PrefetchHint> hints() {
    return hints;
  }

  /** How many requests it took until the image was merged. */
  long requests() {
    return requests;
  }

  /** How many bytes of blobs were asked for until then. */
  long bytes() {
    return bytes;
  }
}
