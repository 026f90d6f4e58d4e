package sluice.formats.rafs;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import sluice.core.Chunk;
import sluice.erofs.MetadataImage;
import sluice.testing.Fixtures;
import sluice.testing.LayoutRangeSource;

/** Reads a bootstrap to the last chunk, as the indexer does, without a registry. */
final class Probe {

  /** Larger than the blobs of any fixture; a lie in the bootstrap may point anywhere below. */
  private static final long BLOB_BYTES = 1 << 30;

  private Probe() {}

  /**
   * Reads all.
   *
   * @param contexts the context table of the blob with the most chunks; those of the others are
   *     read from their blobs
   * @return how many chunks there are
   */
  static int index(Path bootstrap, Path contexts) throws IOException, InterruptedException {
    Bootstrap tables = Bootstrap.open(bootstrap, "bootstrap");
    BlobEntry largest =
        tables.blobs().stream()
            .max((a, b) -> Integer.compareUnsigned(a.chunkCount(), b.chunkCount()))
            .orElse(null);
    BootstrapLayer layer =
        new BootstrapLayer(
            bootstrap, largest == null ? Map.of() : Map.of(largest.blob().hex(), contexts));
    ContextReader reader =
        new ContextReader(
            new LayoutRangeSource(), Set.of(Fixtures.of("small").repository()), layer);
    List<BlobChunks> chunks = tables.chunks(blob -> BLOB_BYTES, reader);
    int count = 0;
    for (BlobChunks blob : chunks) {
      for (Chunk chunk : blob) {
        count += chunk.placements().size();
      }
    }
    try (MetadataImage image = MetadataImage.open(bootstrap)) {
      PrefetchList prefetch = new PrefetchList(tables.prefetch(), image.rootNid());
      new RafsTree(image, chunks, tables.superblock().chunkBytes(), prefetch, "bootstrap").copy();
    }
    return count;
  }
}
