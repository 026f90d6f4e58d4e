package sluice.formats.rafs;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.DeviceId;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.LayerFormat;
import sluice.core.LayerIndex;
import sluice.core.RangeSource;
import sluice.erofs.DeviceSlot;
import sluice.erofs.LayerTree;
import sluice.erofs.MetadataImage;
import sluice.erofs.MetadataImageWriter;
import sluice.erofs.TreeRoom;
import sluice.erofs.TreeShare;

/**
 * Makes the index of a whole image from its bootstrap layer. Of the blobs nothing is fetched, but
 * for context tables that are needed and not in the bootstrap layer, and one byte of each layer
 * that is referred into.
 */
final class RafsIndexer implements LayerFormat.Indexer {
  private final RangeSource source;
  private final LayerFormat.Layer layer;
  private final ReferencedLayers referenced;

  RafsIndexer(RangeSource source, LayerFormat.Layer layer) {
    this.source = source;
    this.layer = layer;
    this.referenced = new ReferencedLayers(source, layer);
  }

  @Override
  public boolean streams() {
    return false;
  }

  @Override
  public LayerIndex index(Path metadataImage, DeviceStore devices)
      throws IOException, InterruptedException {
    Path parent = metadataImage.toAbsolutePath().getParent();
    Path directory = Files.createTempDirectory(parent, "bootstrap");
    try {
      return index(metadataImage, devices, directory);
    } finally {
      delete(directory);
    }
  }

  private LayerIndex index(Path metadataImage, DeviceStore devices, Path directory)
      throws IOException, InterruptedException {
    String resource = "bootstrap layer " + layer.descriptor().digest();
    BootstrapLayer unpacked = unpack(directory, resource);
    Bootstrap bootstrap = Bootstrap.open(unpacked.bootstrap(), resource);
    ContextReader contexts =
        new ContextReader(
            source,
            layer.holders(),
            unpacked,
            (blob, place) -> separateTable(blob, place, directory),
            directory);
    // All is fetched before room is taken: a registry that dawdles must not keep others from
    // theirs.
    Map<Integer, ContextTable> tables = bootstrap.contexts(contexts);
    referenced.require(bootstrap.referred());
    try (TreeShare room = TreeRoom.ofProcess().table(bootstrap.resource())) {
      List<BlobChunks> chunks = bootstrap.chunks(this::blobLength, tables, room);
      return write(bootstrap, unpacked.bootstrap(), chunks, room, metadataImage, devices);
    }
  }

  /** Whoever gives other bytes is asked last from then on: the second try may be another's. */
  private BootstrapLayer unpack(Path directory, String resource)
      throws IOException, InterruptedException {
    try {
      return unpackOnce(directory, resource);
    } catch (CorruptException e) {
      source.rejected(layer.descriptor().digest(), layer.holders(), 0);
      return unpackOnce(directory, resource);
    }
  }

  private BootstrapLayer unpackOnce(Path directory, String resource)
      throws IOException, InterruptedException {
    Digest digest = layer.descriptor().digest();
    InputStream stream = source.open(digest, layer.holders(), Lane.DEMAND);
    Path files = Files.createTempDirectory(directory, "files");
    return BootstrapLayer.unpack(stream, digest, layer.diffId(), files, resource);
  }

  private LayerIndex write(
      Bootstrap bootstrap,
      Path file,
      List<BlobChunks> chunks,
      TreeShare room,
      Path metadataImage,
      DeviceStore devices)
      throws IOException {
    LayerTree tree;
    PrefetchList prefetch;
    try (MetadataImage image = MetadataImage.open(file)) {
      prefetch = new PrefetchList(bootstrap.prefetch(), image.rootNid());
      int chunkBytes = bootstrap.superblock().chunkBytes();
      tree = new RafsTree(image, chunks, chunkBytes, prefetch, room, bootstrap.resource()).copy();
    }
    List<DeviceIndex> indexes = new ArrayList<>();
    List<DeviceId> ids = new ArrayList<>();
    List<DeviceSlot> slots = new ArrayList<>();
    for (BlobEntry blob : bootstrap.blobs()) {
      DeviceIndex index =
          new DeviceIndex(
              blob.blob(),
              blob.deviceBytes(),
              chunks.get(blob.index()),
              chunks.get(blob.index()).windows());
      DeviceId id = devices.add(index, layer.holders()).id();
      indexes.add(index);
      ids.add(id);
      slots.add(new DeviceSlot(id.hex(), index.lengthBytes()));
    }
    MetadataImageWriter.write(tree, slots, metadataImage);
    return new LayerIndex(metadataImage, ids, prefetch.hints(ids, indexes));
  }

  private ContextReader.Decoded separateTable(
      BlobEntry blob, BlobEntry.Separate place, Path directory)
      throws IOException, InterruptedException {
    Descriptor descriptor = referenced.contexts(blob, place);
    return ContextBlob.fetch(source, descriptor, layer.holders(), place.toc(), directory)
        .table(blob.contexts());
  }

  /**
   * A blob is a layer of the image, or one refers to it: that is how the registry is known to hold
   * it. Of a layer that is referred to nothing but the bootstrap says how long it is.
   */
  private long blobLength(BlobEntry blob) throws CorruptException {
    BlobEntry.Separate place = blob.contexts().separate();
    if (place != null) {
      referenced.contexts(blob, place);
      return blob.compressedBytes();
    }
    for (Descriptor each : layer.manifest().layers()) {
      if (each.digest().equals(blob.blob())) {
        return each.sizeBytes();
      }
    }
    throw new CorruptException(
        "blob table: %s is no layer of the image".formatted(blob.blob()),
        "bootstrap layer " + layer.descriptor().digest(),
        -1);
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
