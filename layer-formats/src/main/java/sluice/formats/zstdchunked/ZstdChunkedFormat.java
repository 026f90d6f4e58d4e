package sluice.formats.zstdchunked;

import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.Fidelity;
import sluice.core.IndexOrigin;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.RangeSource;
import sluice.formats.toc.BlobReads;
import sluice.formats.toc.BlobTail;
import sluice.formats.toc.HiddenNames;
import sluice.formats.toc.TocIndexer;
import sluice.formats.toc.TocLocator;
import sluice.formats.toc.TocPlace;
import sluice.formats.toc.UnpinnedToc;
import sluice.formats.zstdchunked.ChunkedAnnotations.BadAnnotationException;

/**
 * zstd:chunked of podman and of stargz. A layer is known by the annotations that name its TOC, and
 * so by the image's digest; by its footer only where somebody trusts what nothing vouches for,
 * since it takes a request to see it. Which dialect a TOC is in, its entries say. Safe for use by
 * many threads.
 */
public final class ZstdChunkedFormat implements LayerFormat {

  private static final ChunkEncoding ENCODING = new ChunkEncoding.ZstdFrame();
  private static final String PLACE = "TOC in the layer";

  /** All that any dialect loses; podman's of today loses nothing. */
  private static final Fidelity FIDELITY =
      new Fidelity(HiddenNames.ALL, Fidelity.Times.WHOLE_SECONDS, true, false);

  private final RangeSource blobs;

  /**
   * @param blobs gives the layers' TOCs
   */
  public ZstdChunkedFormat(RangeSource blobs) {
    this.blobs = blobs;
  }

  @Override
  public String name() {
    return "zstd-chunked";
  }

  @Override
  public Fidelity fidelity() {
    return FIDELITY;
  }

  @Override
  public Recognition recognise(Layer layer, IndexTrust trust)
      throws IOException, InterruptedException {
    if (!isZstd(layer.descriptor())) {
      return new Recognition.Foreign();
    }
    ChunkedAnnotations annotations;
    try {
      annotations = ChunkedAnnotations.of(layer.descriptor().annotations());
    } catch (BadAnnotationException e) {
      return new Recognition.Refused(String.valueOf(e.getMessage()));
    }
    Optional<Digest> index = annotations.index();
    if (index.isPresent()) {
      return byAnnotations(layer, annotations, index.get());
    }
    // Nobody can have signed it, so the footer need not be fetched if only keys are trusted.
    Optional<String> refusal =
        trust.refusal(layer, new IndexOrigin(Binding.NOTHING, PLACE, -1, null));
    if (refusal.isEmpty()) {
      return byFooter(layer);
    }
    return annotations.position() == null
        ? new Recognition.Foreign()
        : new Recognition.Refused("no annotation names its TOC: " + refusal.get());
  }

  /** {@code tar+zstd} of OCI, and its like in Docker manifests. */
  private static boolean isZstd(Descriptor layer) {
    String mediaType = layer.mediaType().toLowerCase(Locale.ROOT);
    return mediaType.endsWith("+zstd") || mediaType.endsWith(".zstd");
  }

  private Recognition byAnnotations(Layer layer, ChunkedAnnotations annotations, Digest index) {
    ManifestPosition position = annotations.position();
    long bytes = position == null ? -1 : position.encodedBytes();
    if (position != null) {
      Optional<String> problem = position.problem(layer.descriptor().sizeBytes());
      if (problem.isPresent()) {
        return new Recognition.Refused("annotations: " + problem.get());
      }
    }
    TocLocator locator =
        (blob, again) ->
            position == null
                ? locate(layer, annotations, blob)
                : place(layer, position, annotations, BlobTail.NONE);
    return tree(layer, locator, new IndexOrigin(Binding.IMAGE, PLACE, bytes, index));
  }

  private static TocPlace locate(Layer layer, ChunkedAnnotations annotations, BlobReads blob)
      throws IOException, InterruptedException {
    BlobTail tail = BlobTail.likelyToc(blob, layer.descriptor().sizeBytes());
    Optional<ManifestPosition> footer =
        ManifestPosition.find(tail.last(ManifestPosition.FOOTER_BYTES));
    if (footer.isEmpty()) {
      throw corrupt("the last bytes hold none of zstd:chunked", layer);
    }
    return place(layer, checked(footer.get(), layer), annotations, tail);
  }

  private Recognition byFooter(Layer layer) throws IOException, InterruptedException {
    Descriptor descriptor = layer.descriptor();
    if (descriptor.sizeBytes() == 0) {
      return new Recognition.Foreign();
    }
    BlobReads blob = new BlobReads(blobs, descriptor.digest(), layer.holders());
    BlobTail tail = BlobTail.fetch(blob, descriptor.sizeBytes(), ManifestPosition.FOOTER_BYTES);
    Optional<ManifestPosition> footer =
        ManifestPosition.find(tail.last(ManifestPosition.FOOTER_BYTES));
    if (footer.isEmpty()) {
      return new Recognition.Foreign();
    }
    ManifestPosition position = checked(footer.get(), layer);
    UnpinnedToc.Found found =
        UnpinnedToc.fetch(blob, position.range(), tail, "layer " + descriptor.digest());
    ChunkedAnnotations named = new ChunkedAnnotations(found.digest(), null, position);
    return tree(
        layer,
        (ignored, again) -> place(layer, position, named, found.tail()),
        new IndexOrigin(Binding.NOTHING, PLACE, position.encodedBytes(), found.digest()));
  }

  private static ManifestPosition checked(ManifestPosition footer, Layer layer)
      throws CorruptException {
    Optional<String> problem = footer.problem(layer.descriptor().sizeBytes());
    if (problem.isPresent()) {
      throw corrupt(problem.get(), layer);
    }
    return footer;
  }

  private static TocPlace place(
      Layer layer, ManifestPosition position, ChunkedAnnotations named, BlobTail tail) {
    return new TocPlace(
        layer.descriptor().digest(),
        layer.holders(),
        position.range(),
        TocPlace.Packing.ZSTD,
        position.decodedBytes(),
        position.payloadEnd(),
        named.encodedDigest(),
        named.tocDigest(),
        tail);
  }

  private Recognition tree(Layer layer, TocLocator locator, IndexOrigin origin) {
    return new Recognition.Tree(new TocIndexer(blobs, layer, ENCODING, locator), origin);
  }

  private static CorruptException corrupt(String problem, Layer layer) {
    return new CorruptException(
        "footer: " + problem,
        "layer " + layer.descriptor().digest(),
        layer.descriptor().sizeBytes());
  }
}
