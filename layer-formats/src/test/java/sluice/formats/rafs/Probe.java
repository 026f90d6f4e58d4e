package sluice.formats.rafs;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding.DeflateCheckpoint;
import sluice.erofs.LayerTree;
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
   * @param contexts the context table of the blob with the most chunks, and of all zran blobs;
   *     those of the others are read from their blobs
   * @return how many chunks there are
   */
  static int index(Path bootstrap, Path contexts) throws IOException, InterruptedException {
    return index(bootstrap, contexts, bytes -> {});
  }

  /** As that, as long as the tree may grow. */
  static int index(Path bootstrap, Path contexts, LayerTree.Growth growth)
      throws IOException, InterruptedException {
    Bootstrap tables = Bootstrap.open(bootstrap, "bootstrap");
    List<BlobChunks> chunks = chunks(tables, bootstrap, contexts, growth);
    int count = count(chunks);
    try (MetadataImage image = MetadataImage.open(bootstrap)) {
      PrefetchList prefetch = new PrefetchList(tables.prefetch(), image.rootNid());
      new RafsTree(image, chunks, tables.superblock().chunkBytes(), prefetch, growth, "bootstrap")
          .copy();
    }
    return count;
  }

  /** As {@link #index}, without the tree. */
  static int chunks(Path bootstrap, Path contexts) throws IOException, InterruptedException {
    return chunks(bootstrap, contexts, bytes -> {});
  }

  /** As that, as long as the chunks may grow. */
  static int chunks(Path bootstrap, Path contexts, LayerTree.Growth growth)
      throws IOException, InterruptedException {
    return count(chunks(Bootstrap.open(bootstrap, "bootstrap"), bootstrap, contexts, growth));
  }

  private static List<BlobChunks> chunks(
      Bootstrap tables, Path bootstrap, Path contexts, LayerTree.Growth growth)
      throws IOException, InterruptedException {
    BlobEntry largest =
        tables.blobs().stream()
            .max((a, b) -> Integer.compareUnsigned(a.chunkCount(), b.chunkCount()))
            .orElse(null);
    BootstrapLayer layer =
        new BootstrapLayer(
            bootstrap, largest == null ? Map.of() : Map.of(largest.blob().hex(), contexts));
    ContextReader reader =
        new ContextReader(
            new LayoutRangeSource(),
            Set.of(Fixtures.of("small").repository()),
            layer,
            (blob, place) ->
                ContextReader.Decoded.read(
                    Layout.map(contexts), "blob.meta of blob " + blob.blob()),
            bootstrap.toAbsolutePath().resolveSibling(""));
    return tables.chunks(blob -> BLOB_BYTES, tables.contexts(reader), growth);
  }

  private static int count(List<BlobChunks> chunks) {
    int count = 0;
    for (BlobChunks blob : chunks) {
      long windows = blob.windows().byteSize();
      for (Chunk chunk : blob) {
        count += chunk.placements().size();
        if (chunk.encoding() instanceof DeflateCheckpoint checkpoint
            && checkpoint.window().end() > windows) {
          throw new AssertionError(chunk + " has no window in " + windows + " bytes");
        }
      }
    }
    return count;
  }
}
