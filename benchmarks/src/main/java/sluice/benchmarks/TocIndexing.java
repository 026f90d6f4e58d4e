package sluice.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import sluice.core.Descriptor;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.IndexTrust;
import sluice.core.Lane;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.LayerIndex;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.erofs.MetadataImageMerge;
import sluice.formats.estargz.EstargzFormat;

/** Indexes a {@link TocLayer} as a Prepare would, and measures that. */
final class TocIndexing {

  private static final String MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip";

  private static final long NANOS_PER_MILLI = 1_000_000;

  private TocIndexing() {}

  /**
   * What it took.
   *
   * @param indexMillis until the layer's tree and chunk table were written
   * @param mergeMillis until the tree could be mounted, after that
   * @param processorMillis processor time of the thread that did both
   * @param peakBytes the most that was in use of the heap after a collection
   * @param requests how many ranges were fetched
   */
  record Took(
      long indexMillis, long mergeMillis, long processorMillis, long peakBytes, int requests) {

    static Took parse(String text) {
      String[] words = text.split(" ", -1);
      return new Took(
          Long.parseLong(words[0]),
          Long.parseLong(words[1]),
          Long.parseLong(words[2]),
          Long.parseLong(words[3]),
          Integer.parseInt(words[4]));
    }

    @Override
    public String toString() {
      return "%d %d %d %d %d"
          .formatted(indexMillis, mergeMillis, processorMillis, peakBytes, requests);
    }
  }

  /**
   * Indexes and merges.
   *
   * @param toc digest of the blob's TOC
   * @param image where the merged image is to be
   */
  static Took run(Path blob, Digest toc, DeviceStore devices, Path image)
      throws IOException, InterruptedException {
    FileSource source = new FileSource(blob);
    LayerFormat format = new EstargzFormat(source, new NoDocuments());
    if (!(format.recognise(layer(blob, toc), IndexTrust.PINNED)
        instanceof Recognition.Tree(LayerFormat.Indexer indexer, var _))) {
      throw new IOException(blob + " is not recognised");
    }
    HeapPeak peak = HeapPeak.listen();
    long processor = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    long began = System.nanoTime();
    LayerIndex index = indexer.index(image.resolveSibling("layer.erofs"), devices);
    long indexed = System.nanoTime();
    MetadataImageMerge.merge(List.of(index.metadataImage()), image);
    long merged = System.nanoTime();
    long processorNanos = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - processor;
    return new Took(
        (indexed - began) / NANOS_PER_MILLI,
        (merged - indexed) / NANOS_PER_MILLI,
        processorNanos / NANOS_PER_MILLI,
        peak.bytes(),
        source.requests);
  }

  private static LayerFormat.Layer layer(Path blob, Digest toc) throws IOException {
    // Nobody asks for all of the blob, so any digest of it will do.
    Digest digest = Digest.sha256(new byte[0]);
    Descriptor descriptor =
        new Descriptor(
            MEDIA_TYPE,
            digest,
            Files.size(blob),
            Map.of(EstargzFormat.TOC_DIGEST_ANNOTATION, toc.toString()),
            List.of(),
            null,
            null);
    Repository holder = new Repository.InLayout(blob);
    return new LayerFormat.Layer(
        new LayerFormat.Image(
            new ImageReference(holder, "benchmark", null),
            digest,
            new ImageDocument.Manifest(descriptor, List.of(descriptor), Map.of(), null, null)),
        0,
        digest,
        Set.of(holder));
  }

  /** One blob, from its file. */
  private static final class FileSource implements RangeSource {
    private final Path blob;
    private int requests;

    FileSource(Path blob) {
      this.blob = blob;
    }

    @Override
    public void read(
        Digest digest, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
        throws IOException {
      requests++;
      try (FileChannel file = FileChannel.open(blob)) {
        long at = offset;
        while (into.hasRemaining()) {
          at += file.read(into, at);
        }
      }
    }

    @Override
    public InputStream open(Digest digest, Set<Repository> holders, Lane lane) {
      throw new AssertionError("a TOC is a range");
    }
  }

  /** No TOC here lies in an image of its own. */
  private static final class NoDocuments implements ImageRegistry {
    @Override
    public Content resolve(ImageReference reference) {
      throw new AssertionError(reference);
    }

    @Override
    public Content read(Repository repository, Descriptor descriptor) {
      throw new AssertionError(descriptor);
    }

    @Override
    public List<Descriptor> referrers(
        Repository repository, Digest subject, Optional<String> artifactType) {
      throw new AssertionError(subject);
    }

    @Override
    public ImageDocument document(Content content) {
      throw new AssertionError(content);
    }

    @Override
    public ImageConfig config(Content content) {
      throw new AssertionError(content);
    }
  }
}
