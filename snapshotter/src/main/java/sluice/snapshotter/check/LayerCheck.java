package sluice.snapshotter.check;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.DeviceStore;
import sluice.core.Fidelity;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.LazyDevice;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.erofs.MetadataImage;
import sluice.erofs.MetadataImageMerge;
import sluice.snapshotter.image.KeptLayer;

/**
 * Streams a layer that is served from an index, verifies layer digest and diff ID, and compares its
 * tree and its files with what the index shows; of a tree that is shown in the place of all layers
 * of an image, all of these. Safe for use by many threads.
 */
public final class LayerCheck {

  /** TOCs that lie in layers have at most 512 MiB. */
  private static final long HIDDEN_BYTES = 1L << 30;

  /** Of the free disk space: the other half stays for what containers read and write meanwhile. */
  private static final int FREE_PARTS = 2;

  private final Function<RangeSource, LayerFormat> streaming;
  private final RangeSource source;
  private final DeviceStore devices;
  private final Path work;

  /**
   * @param streaming the format that makes a tree of every layer by streaming it from a source
   * @param source gives the layers' blobs
   * @param devices holds what the index's tree points into
   * @param work a directory of this check's own, for what is streamed
   */
  public LayerCheck(
      Function<RangeSource, LayerFormat> streaming,
      RangeSource source,
      DeviceStore devices,
      Path work) {
    this.streaming = streaming;
    this.source = source;
    this.devices = devices;
    this.work = work;
  }

  /** Deletes what checks left that were killed. None may be running. */
  public static void clean(Path work) throws IOException {
    if (Files.isDirectory(work)) {
      deleteTree(work);
    }
  }

  private static void deleteTree(Path directory) throws IOException {
    try (Stream<Path> left = Files.walk(directory)) {
      for (Path each : left.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }

  /**
   * Compares. What the layer unpacks to lies on the disk meanwhile.
   *
   * @return how the index lies, in a sentence; empty if it does not
   * @throws IOException if that could not be found out: the layer cannot be had, or not be kept
   *     while it is compared
   */
  public Optional<String> lie(KeptLayer layer, KeptLayer.Claim claim, Fidelity fidelity)
      throws IOException, InterruptedException {
    Files.createDirectories(work);
    long shownBytes = shownBytes(layer);
    long roomBytes = room(shownBytes);
    // Layers of a whole image may hold any number of files that those above them hide.
    long deviceBytes = layer.wholeImage() ? Long.MAX_VALUE : shownBytes + HIDDEN_BYTES;
    Path trees = Files.createTempDirectory(work, "trees");
    Path scratch = Files.createTempDirectory(work, "devices");
    try (ScratchDevices streamed = new ScratchDevices(scratch, deviceBytes, roomBytes)) {
      List<Path> held = new ArrayList<>();
      for (KeptLayer.Held one : claim.layers()) {
        Path tree = trees.resolve(held.size() + ".erofs");
        held.add(tree);
        Optional<String> unreadable = stream(one, tree, streamed);
        if (unreadable.isPresent()) {
          return unreadable;
        }
      }
      return layer.wholeImage()
          ? compareWhole(layer, held, merged(held, trees), streamed, fidelity)
          : compare(layer, held.getFirst(), streamed, fidelity, path -> false);
    } finally {
      deleteTree(trees);
      Files.delete(scratch);
    }
  }

  private static Path merged(List<Path> layers, Path trees) throws IOException {
    Path merged = trees.resolve("merged.erofs");
    MetadataImageMerge.merge(layers, merged);
    return merged;
  }

  private long shownBytes(KeptLayer layer) throws IOException {
    long shown = 0;
    for (LazyDevice device : opened(devices, layer.devices())) {
      shown += device.lengthBytes();
    }
    return shown;
  }

  /** What may be written, which is as much as is shown, or more. */
  private long room(long shownBytes) throws IOException {
    long free = Files.getFileStore(work).getUsableSpace();
    if (shownBytes > free / FREE_PARTS) {
      throw new IOException(
          ("comparing it takes %d bytes below %s, where %d are free, of which half are left to"
                  + " containers: remove images or enlarge the disk")
              .formatted(shownBytes, work, free));
    }
    return free / FREE_PARTS;
  }

  /**
   * Makes the layer's tree.
   *
   * @return why there is none, though the bytes are those of the layer
   * @throws IOException if the bytes are not the layer's, or cannot be had: of the layer, that says
   *     nothing
   */
  private Optional<String> stream(KeptLayer.Held held, Path tree, ScratchDevices streamed)
      throws IOException, InterruptedException {
    try (Witness witness = new Witness(source, held.layer())) {
      try {
        index(held, witness, tree, streamed);
        return Optional.empty();
      } catch (CorruptException e) {
        if (witness.gaveTheLayer()) {
          return Optional.of(String.valueOf(e.getMessage()));
        }
        throw new IOException(
            "%s gave other bytes than %s: %s"
                .formatted(held.holders(), held.layer().digest(), e.getMessage()),
            e);
      }
    }
  }

  private void index(KeptLayer.Held held, RangeSource bytes, Path tree, ScratchDevices streamed)
      throws IOException, InterruptedException {
    Repository holder = held.holders().iterator().next();
    ImageDocument.Manifest alone =
        new ImageDocument.Manifest(held.layer(), List.of(held.layer()), Map.of(), null, null);
    LayerFormat.Layer whole =
        new LayerFormat.Layer(
            new LayerFormat.Image(
                new ImageReference(holder, null, held.layer().digest()),
                held.layer().digest(),
                alone),
            0,
            held.diffId(),
            held.holders());
    if (!(streaming.apply(bytes).recognise(whole, IndexTrust.PINNED)
        instanceof Recognition.Tree(LayerFormat.Indexer indexer, var _))) {
      throw new IOException(
          "a layer of media type %s cannot be streamed".formatted(held.layer().mediaType()));
    }
    indexer.index(tree, streamed);
  }

  private Optional<String> compareWhole(
      KeptLayer layer, List<Path> held, Path merged, ScratchDevices streamed, Fidelity fidelity)
      throws IOException, InterruptedException {
    try (ImpliedDirectories implied = ImpliedDirectories.open(held)) {
      return compare(layer, merged, streamed, fidelity, implied::contains);
    }
  }

  private Optional<String> compare(
      KeptLayer layer,
      Path tree,
      ScratchDevices streamed,
      Fidelity fidelity,
      TreeComparison.Implied implied)
      throws IOException, InterruptedException {
    try (MetadataImage shown = MetadataImage.open(layer.metadataImage());
        MetadataImage held = MetadataImage.open(tree);
        DeviceReader shownFiles = DeviceReader.open(shown, opened(devices, layer.devices()));
        DeviceReader heldFiles = DeviceReader.open(held, opened(streamed, devices(held)))) {
      return new TreeComparison(
              TreeComparison.Side.of(shown, shownFiles),
              layer.wholeImage()
                  ? new TreeComparison.Side(
                      held, held.lookup(held.rootNid(), MetadataImageMerge.TREE), heldFiles)
                  : TreeComparison.Side.of(held, heldFiles),
              fidelity,
              implied)
          .difference();
    }
  }

  private static List<DeviceId> devices(MetadataImage image) {
    return image.devices().stream().map(slot -> new DeviceId(slot.tag())).toList();
  }

  private static List<LazyDevice> opened(DeviceStore store, List<DeviceId> ids) throws IOException {
    List<LazyDevice> opened = new ArrayList<>();
    for (DeviceId id : ids) {
      opened.add(store.open(id));
    }
    return opened;
  }
}
