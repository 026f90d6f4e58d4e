package sluice.formats.toc;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.LayerFormat.Indexer;
import sluice.core.LayerFormat.Layer;
import sluice.core.LayerIndex;
import sluice.core.LayerIndex.PrefetchHint;
import sluice.core.LazyDevice;
import sluice.core.RangeSource;
import sluice.erofs.DeviceSlot;
import sluice.erofs.MetadataImageWriter;
import sluice.erofs.TreeRoom;
import sluice.erofs.TreeShare;

/**
 * Makes the index of a layer from its TOC. If what is fetched is not what the image names, whoever
 * gave it is asked last, and all is fetched once more.
 */
public final class TocIndexer implements Indexer {

  private static final Logger LOG = LoggerFactory.getLogger(TocIndexer.class);

  private final RangeSource source;
  private final Layer layer;
  private final ChunkEncoding encoding;
  private final TocLocator locator;
  private final String resource;

  private @Nullable TreeShare room;

  /**
   * @param encoding that of the layer's chunks
   */
  public TocIndexer(RangeSource source, Layer layer, ChunkEncoding encoding, TocLocator locator) {
    this.source = source;
    this.layer = layer;
    this.encoding = encoding;
    this.locator = locator;
    this.resource = "layer " + layer.descriptor().digest();
  }

  @Override
  public boolean streams() {
    return false;
  }

  @Override
  public LayerIndex index(Path metadataImage, DeviceStore devices)
      throws IOException, InterruptedException {
    try {
      return write(build(metadataImage.resolveSibling("")), metadataImage, devices);
    } catch (InterruptedIOException e) {
      throw RangeInput.interrupted(e);
    } finally {
      giveBackRoom();
    }
  }

  private TocBuilder build(Path scratch) throws IOException, InterruptedException {
    try {
      return build(scratch, false);
    } catch (UnverifiedException e) {
      LOG.debug("{}; it is fetched again", e.problem().getMessage());
    }
    try {
      return build(scratch, true);
    } catch (UnverifiedException e) {
      throw e.problem();
    }
  }

  private TocBuilder build(Path scratch, boolean again) throws IOException, InterruptedException {
    giveBackRoom();
    BlobReads blob = new BlobReads(source, layer.descriptor().digest(), layer.holders());
    TocPlace place = locate(blob, again);
    boolean inside = place.blob().equals(layer.descriptor().digest());
    BlobReads toc = inside ? blob : new BlobReads(source, place.blob(), place.holders());
    // Offsets are those of the blob that holds the TOC.
    String of = inside ? resource : "blob %s with the TOC of %s".formatted(place.blob(), resource);
    try (TocReader fetched = TocReader.fetch(place, toc, scratch, of)) {
      TreeShare share = TreeRoom.ofProcess().table("TOC of " + resource);
      room = share;
      TocBuilder builder = new TocBuilder(encoding, place.payloadEnd(), share, resource);
      fetched.read(builder);
      builder.finish();
      return builder;
    } catch (UnverifiedException e) {
      toc.reject();
      throw e;
    }
  }

  /** Nobody vouches for a footer: if it leads nowhere, another holder may have the right one. */
  private TocPlace locate(BlobReads blob, boolean again) throws IOException, InterruptedException {
    try {
      return locator.locate(blob, again);
    } catch (CorruptException e) {
      blob.reject();
      throw new UnverifiedException(e);
    }
  }

  private LayerIndex write(TocBuilder built, Path metadataImage, DeviceStore devices)
      throws IOException {
    if (built.chunks().isEmpty()) {
      MetadataImageWriter.write(built.tree(), List.of(), metadataImage);
      return new LayerIndex(metadataImage, List.of(), List.of());
    }
    DeviceIndex index =
        new DeviceIndex(layer.descriptor().digest(), built.deviceBytes(), built.chunks());
    LazyDevice device = devices.add(index, layer.holders());
    DeviceSlot slot = new DeviceSlot(device.id().hex(), device.lengthBytes());
    MetadataImageWriter.write(built.tree(), List.of(slot), metadataImage);
    List<PrefetchHint> hints =
        built.prefetch().stream().map(range -> new PrefetchHint(device.id(), range)).toList();
    return new LayerIndex(metadataImage, List.of(device.id()), hints);
  }

  private void giveBackRoom() {
    if (room != null) {
      room.close();
      room = null;
    }
  }

  @Override
  public String toString() {
    return "TOC indexer of " + resource;
  }
}
