package sluice.cache;

import java.lang.foreign.MemorySegment;
import sluice.core.CorruptException;

/** Reads all that a chunk table says, as the cache would. */
final class TableReads {

  private TableReads() {}

  /** Returns false if the table is corrupt, by the exception that says so; any other is a fault. */
  static boolean readAll(byte[] bytes) {
    try {
      ChunkTable table = ChunkTable.of(MemorySegment.ofArray(bytes), "test");
      for (int chunk = 0; chunk < table.chunkCount(); chunk++) {
        table.encoded(chunk);
        table.encoding(chunk);
        table.encodedDigest(chunk);
        table.window(chunk);
        if (table.hasStatement(chunk)) {
          table.statement(chunk);
        }
        int placement = table.firstPlacement(chunk);
        for (int left = table.placementCount(chunk); left > 1; left--) {
          table.digest(placement);
          placement = table.nextPlacement(placement);
        }
      }
      table.placementAt(table.header().deviceLength() / 2);
      return true;
    } catch (CorruptException e) {
      return false;
    }
  }
}
