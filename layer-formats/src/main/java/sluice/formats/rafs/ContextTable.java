package sluice.formats.rafs;

import java.lang.foreign.MemorySegment;
import sluice.core.CorruptException;

/**
 * A blob's compression context table ({@code blob.meta}) with entries of version 2: where chunks
 * lie that are encoded together. All numbers come from outside; what a chunk decodes to is covered
 * by its digest.
 */
sealed interface ContextTable permits BatchTable, ZranTable {

  /**
   * Checks that entries and contexts lie in the table.
   *
   * @param kind {@link BlobEntry#FEATURE_BATCH} or {@link BlobEntry#FEATURE_ZRAN}
   * @param contextBytes length of one context
   */
  static void require(
      MemorySegment table, ContextHeader header, int kind, int contextBytes, String resource)
      throws CorruptException {
    int both = kind | BlobEntry.FEATURE_CHUNK_INFO_V2;
    if ((header.features() & both) != both) {
      throw new CorruptException(
          "context header: features 0x%x, expected 0x%x among them"
              .formatted(header.features(), both),
          resource,
          -1);
    }
    Layout.require(table, 0, header.entries() * ContextEntry.BYTES, "context entries", resource);
    Layout.require(
        table, header.contextsOffset(), header.contexts() * contextBytes, "contexts", resource);
  }
}
