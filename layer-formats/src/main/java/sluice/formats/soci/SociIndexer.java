package sluice.formats.soci;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.ByteRange;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.LayerFormat;
import sluice.core.LayerIndex;
import sluice.core.LayerIndex.PrefetchHint;
import sluice.core.LazyDevice;
import sluice.core.RangeSource;
import sluice.erofs.DeviceSlot;
import sluice.erofs.LayerTree;
import sluice.erofs.MetadataImageWriter;
import sluice.erofs.TreeRoom;
import sluice.erofs.TreeShare;

/** Makes a layer's tree and device from its zTOC. Of the layer itself nothing is fetched. */
final class SociIndexer implements LayerFormat.Indexer {

  private static final Logger LOG = LoggerFactory.getLogger(SociIndexer.class);

  /** What a span takes of the heap: its digest, twice in a list, and where it begins. */
  private static final int SPAN_BYTES = 120;

  private final RangeSource source;
  private final LayerFormat.Layer layer;
  private final Descriptor descriptor;
  private final Optional<Descriptor> prefetch;
  private final @Nullable MemorySegment own;
  private final String resource;

  /**
   * @param descriptor that of the zTOC, whose size is within bounds
   * @param prefetch that of the prefetch artifact, if there is one
   */
  SociIndexer(
      RangeSource source,
      LayerFormat.Layer layer,
      Descriptor descriptor,
      Optional<Descriptor> prefetch) {
    this(source, layer, descriptor, prefetch, null);
  }

  /**
   * @param descriptor that of the zTOC
   * @param own the zTOC, verified; nothing is fetched
   */
  SociIndexer(
      RangeSource source, LayerFormat.Layer layer, Descriptor descriptor, MemorySegment own) {
    this(source, layer, descriptor, Optional.empty(), own);
  }

  private SociIndexer(
      RangeSource source,
      LayerFormat.Layer layer,
      Descriptor descriptor,
      Optional<Descriptor> prefetch,
      @Nullable MemorySegment own) {
    this.source = source;
    this.layer = layer;
    this.descriptor = descriptor;
    this.prefetch = prefetch;
    this.own = own;
    this.resource =
        "zTOC %s of layer %s".formatted(descriptor.digest(), layer.descriptor().digest());
  }

  @Override
  public boolean streams() {
    return false;
  }

  @Override
  public LayerIndex index(Path metadataImage, DeviceStore devices)
      throws IOException, InterruptedException {
    // The image's repository holds the index, and what it lists.
    ZtocFetch fetch =
        new ZtocFetch(
            source,
            Set.of(layer.image().reference().repository()),
            metadataImage.resolveSibling("ztoc"));
    // All is fetched before room is taken: a registry that dawdles must not keep others from
    // theirs.
    MemorySegment bytes = own == null ? fetch.fetch(descriptor) : own;
    Optional<MemorySegment> first = prefetchArtifact(fetch);
    try (TreeShare room = TreeRoom.ofProcess().table(resource)) {
      Ztoc ztoc = Ztoc.open(bytes, resource);
      room.grow((long) SPAN_BYTES * ztoc.spanDigests().size());
      LayerTree tree = new LayerTree(resource, room);
      return index(ztoc, tree, first, metadataImage, devices);
    }
  }

  private LayerIndex index(
      Ztoc ztoc,
      LayerTree tree,
      Optional<MemorySegment> first,
      Path metadataImage,
      DeviceStore devices)
      throws IOException, InterruptedException {
    if (ztoc.compressedBytes() != layer.descriptor().sizeBytes()) {
      throw new CorruptException(
          "zTOC: of a layer of %d bytes, but this one has %d"
              .formatted(ztoc.compressedBytes(), layer.descriptor().sizeBytes()),
          resource,
          -1);
    }
    Spans spans = ztoc.spans();
    FileRuns files = new FileRuns();
    SpanStatements statements =
        own == null
            ? stated(ztoc, spans, tree, files, metadataImage.resolveSibling("statements"))
            : proven(ztoc, tree, files);
    if (files.count() == 0) {
      MetadataImageWriter.write(tree, List.of(), metadataImage);
      return new LayerIndex(metadataImage, List.of(), List.of());
    }
    LazyDevice device = devices.add(device(ztoc, spans, files, statements), layer.holders());
    DeviceSlot slot = new DeviceSlot(device.id().hex(), device.lengthBytes());
    MetadataImageWriter.write(tree, List.of(slot), metadataImage);
    List<PrefetchHint> hints =
        prefetched(first, spans).stream()
            .flatMap(tar -> files.inDevice(tar).stream())
            .map(range -> new PrefetchHint(device.id(), range))
            .toList();
    return new LayerIndex(metadataImage, List.of(device.id()), hints);
  }

  /** Somebody's word: what it says of headers is compared when the spans with them are there. */
  private SpanStatements stated(
      Ztoc ztoc, Spans spans, LayerTree tree, FileRuns files, Path scratch) throws IOException {
    try (StatementFile statements = StatementFile.create(spans, scratch)) {
      long end = new ZtocTree(ztoc, tree, files, statements::add, resource).addAll();
      return statements.finish(end, ztoc.uncompressedBytes());
    }
  }

  /** Made here, of the headers themselves. */
  private SpanStatements proven(Ztoc ztoc, LayerTree tree, FileRuns files) throws IOException {
    new ZtocTree(ztoc, tree, files, (tar, entry) -> {}, resource).addAll();
    return SpanStatements.NONE;
  }

  private DeviceIndex device(Ztoc ztoc, Spans spans, FileRuns files, SpanStatements statements) {
    MemorySegment windows =
        switch (spans) {
          case GzipSpans _ -> ztoc.checkpoints();
          case FrameSpans _, PlainSpans _ -> MemorySegment.NULL;
        };
    return new DeviceIndex(
        layer.descriptor().digest(),
        files.deviceBytes(),
        new SpanChunks(spans, ztoc.spanDigests(), files, statements),
        windows,
        statements.bytes());
  }

  /** What to fetch first is advice: a layer is not worse off without. */
  private Optional<MemorySegment> prefetchArtifact(ZtocFetch fetch) throws InterruptedException {
    if (prefetch.isEmpty() || prefetch.get().sizeBytes() > PrefetchSpans.MAX_BYTES) {
      return Optional.empty();
    }
    try {
      return Optional.of(fetch.fetch(prefetch.get()));
    } catch (IOException e) {
      LOG.debug("{}: nothing is fetched first", resource, e);
      return Optional.empty();
    }
  }

  /** Parts of the tar stream. */
  private List<ByteRange> prefetched(Optional<MemorySegment> artifact, Spans spans) {
    if (artifact.isEmpty()) {
      return List.of();
    }
    try {
      return PrefetchSpans.read(
          artifact.get().toArray(JAVA_BYTE), spans, "prefetch artifact of " + resource);
    } catch (IOException e) {
      LOG.debug("{}: nothing is fetched first", resource, e);
      return List.of();
    }
  }

  @Override
  public String toString() {
    return "SOCI indexer of " + resource;
  }
}
