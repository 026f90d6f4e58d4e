package sluice.formats.estargz;

import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.Fidelity;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
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

/**
 * eStargz, with the TOC in the layer or in an image of its own. A layer is known by the annotation
 * that names its TOC, and so by the image's digest; by its footer only where somebody trusts what
 * nothing vouches for, since it takes a request to see it. Safe for use by many threads.
 */
public final class EstargzFormat implements LayerFormat {

  /** On a layer: digest of the TOC as JSON (stargz-snapshotter, {@code estargz/types.go}). */
  public static final String TOC_DIGEST_ANNOTATION = "containerd.io/snapshot/stargz/toc.digest";

  /** On a layer: its uncompressed size; no other format has it. */
  private static final String SIZE_ANNOTATION = "io.containers.estargz.uncompressed-size";

  private static final ChunkEncoding ENCODING = new ChunkEncoding.GzipMember();
  private static final String INSIDE = "TOC in the layer";

  private static final Fidelity FIDELITY =
      new Fidelity(HiddenNames.ALL, Fidelity.Times.WHOLE_SECONDS, false, false);

  private final RangeSource blobs;
  private final ExternalTocs external;

  /**
   * @param blobs gives the layers' TOCs
   * @param documents gives the manifests of images that hold TOCs
   */
  public EstargzFormat(RangeSource blobs, ImageRegistry documents) {
    this.blobs = blobs;
    this.external = new ExternalTocs(documents);
  }

  @Override
  public String name() {
    return "estargz";
  }

  @Override
  public Fidelity fidelity() {
    return FIDELITY;
  }

  @Override
  public Recognition recognise(Layer layer, IndexTrust trust)
      throws IOException, InterruptedException {
    if (!isGzip(layer.descriptor())) {
      return new Recognition.Foreign();
    }
    Map<String, String> annotations = layer.descriptor().annotations();
    String annotated = annotations.get(TOC_DIGEST_ANNOTATION);
    if (annotated != null) {
      return byAnnotation(layer, annotated);
    }
    Optional<String> refusal = trust.refusal(layer, Binding.NOTHING);
    if (refusal.isEmpty()) {
      return byFooter(layer, trust);
    }
    return annotations.containsKey(SIZE_ANNOTATION)
        ? refused(refusal.get())
        : new Recognition.Foreign();
  }

  private static Recognition refused(String untrusted) {
    return new Recognition.Refused("no annotation names its TOC: " + untrusted);
  }

  /** {@code tar+gzip} of OCI, {@code tar.gzip} of Docker. */
  private static boolean isGzip(Descriptor layer) {
    String mediaType = layer.mediaType().toLowerCase(Locale.ROOT);
    return mediaType.endsWith("+gzip") || mediaType.endsWith(".gzip");
  }

  private Recognition byAnnotation(Layer layer, String annotated) {
    Digest toc;
    try {
      toc = Digest.parse(annotated);
    } catch (IllegalArgumentException e) {
      return new Recognition.Refused(
          "annotation %s: %s".formatted(TOC_DIGEST_ANNOTATION, e.getMessage()));
    }
    if (toc.algorithm() != Digest.Algorithm.SHA256) {
      return new Recognition.Refused(
          "annotation %s: %s, only SHA-256 is known".formatted(TOC_DIGEST_ANNOTATION, toc));
    }
    TocLocator locator = (blob, again) -> locate(layer, toc, blob, again);
    return tree(layer, locator, new IndexOrigin(Binding.IMAGE, annotatedPlace(layer), -1, toc));
  }

  /** Only the footer says which of the two it is, and that costs a request. */
  private static String annotatedPlace(Layer layer) {
    return ExternalTocs.name(layer.image())
        .map(external -> "%s or in %s".formatted(INSIDE, external))
        .orElse(INSIDE);
  }

  private TocPlace locate(Layer layer, Digest toc, BlobReads blob, boolean again)
      throws IOException, InterruptedException {
    Optional<ExternalTocs.External> known =
        again ? Optional.empty() : external.known(layer.image(), layer.descriptor().digest());
    if (known.isPresent()) {
      return externalPlace(layer, known.get().toc(), toc);
    }
    long size = layer.descriptor().sizeBytes();
    BlobTail tail = BlobTail.likelyToc(blob, size);
    GzipFooter footer =
        GzipFooter.find(tail.last(GzipFooter.MAX_BYTES))
            .orElseThrow(() ->
                new CorruptException(
                    "footer: the last %d bytes hold none of eStargz"
                        .formatted(GzipFooter.MAX_BYTES),
                    resource(layer),
                    size));
    return switch (footer) {
      case GzipFooter.Embedded embedded ->
          new TocPlace(
              layer.descriptor().digest(),
              layer.holders(),
              range(layer, embedded),
              TocPlace.Packing.GZIPPED_TAR,
              -1,
              embedded.tocOffset(),
              null,
              toc,
              tail);
      case GzipFooter.External() ->
          externalPlace(
              layer, external.find(layer.image(), layer.descriptor().digest(), again).toc(), toc);
    };
  }

  private static TocPlace externalPlace(Layer layer, Descriptor tar, @Nullable Digest toc) {
    return new TocPlace(
        tar.digest(),
        Set.of(layer.image().reference().repository()),
        new ByteRange(0, tar.sizeBytes()),
        TocPlace.Packing.GZIPPED_TAR,
        -1,
        layer.descriptor().sizeBytes(),
        tar.digest(),
        toc,
        BlobTail.NONE);
  }

  private Recognition byFooter(Layer layer, IndexTrust trust)
      throws IOException, InterruptedException {
    Digest digest = layer.descriptor().digest();
    long size = layer.descriptor().sizeBytes();
    if (size < GzipFooter.MIN_BYTES) {
      return new Recognition.Foreign();
    }
    BlobReads blob = new BlobReads(blobs, digest, layer.holders());
    BlobTail tail = BlobTail.fetch(blob, size, GzipFooter.MAX_BYTES);
    Optional<GzipFooter> footer = GzipFooter.find(tail.last(GzipFooter.MAX_BYTES));
    if (footer.isEmpty()) {
      return new Recognition.Foreign();
    }
    return switch (footer.get()) {
      case GzipFooter.Embedded embedded -> {
        // Nobody can have signed it, so it need not be fetched if only keys are trusted.
        Optional<String> refusal =
            trust.refusal(layer, new IndexOrigin(Binding.NOTHING, INSIDE, -1, null));
        yield refusal.isPresent() ? refused(refusal.get()) : unpinned(layer, blob, embedded, tail);
      }
      case GzipFooter.External() -> {
        ExternalTocs.External found = external.find(layer.image(), digest, false);
        Descriptor tar = found.toc();
        ImageReference reference = ExternalTocs.reference(layer.image());
        yield tree(
            layer,
            (ignored, again) -> externalPlace(layer, tar, null),
            new IndexOrigin(
                Binding.NOTHING,
                "TOC of " + reference,
                tar.sizeBytes(),
                tar.digest(),
                found.document()));
      }
    };
  }

  private Recognition unpinned(
      Layer layer, BlobReads blob, GzipFooter.Embedded footer, BlobTail tail)
      throws IOException, InterruptedException {
    ByteRange range = range(layer, footer);
    UnpinnedToc.Found found = UnpinnedToc.fetch(blob, range, tail, resource(layer));
    TocPlace place =
        new TocPlace(
            layer.descriptor().digest(),
            layer.holders(),
            range,
            TocPlace.Packing.GZIPPED_TAR,
            -1,
            footer.tocOffset(),
            found.digest(),
            null,
            found.tail());
    return tree(
        layer,
        (ignored, again) -> place,
        new IndexOrigin(Binding.NOTHING, INSIDE, range.length(), found.digest()));
  }

  private static ByteRange range(Layer layer, GzipFooter.Embedded footer) throws CorruptException {
    long end = layer.descriptor().sizeBytes() - footer.bytes();
    if (footer.tocOffset() < 0 || footer.tocOffset() >= end) {
      throw new CorruptException(
          "footer: TOC at %s, expected less than %d"
              .formatted(Long.toUnsignedString(footer.tocOffset()), end),
          resource(layer),
          end);
    }
    return new ByteRange(footer.tocOffset(), end - footer.tocOffset());
  }

  private Recognition tree(Layer layer, TocLocator locator, IndexOrigin origin) {
    return new Recognition.Tree(new TocIndexer(blobs, layer, ENCODING, locator), origin);
  }

  private static String resource(Layer layer) {
    return "layer " + layer.descriptor().digest();
  }
}
