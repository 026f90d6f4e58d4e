package sluice.formats.tar;

import java.io.IOException;
import sluice.core.CorruptException;
import sluice.erofs.LayerTree;

/**
 * Reads the maps of sparse files in each form that GNU tar writes (GNU tar manual, "Storing Sparse
 * Files"): in old GNU headers, in PAX records (0.0 and 0.1), and before the data (1.0). For one
 * thread.
 */
final class SparseMaps {

  private static final int OLD_FIRST = 386;
  private static final int OLD_FIRST_ENTRIES = 4;
  private static final int OLD_FIRST_EXTENDED = 482;
  private static final int OLD_MORE_ENTRIES = 21;
  private static final int OLD_MORE_EXTENDED = 504;
  private static final int OLD_FIELD_BYTES = 12;

  /** Digits of the largest number in a map. */
  private static final int MAX_DIGITS = 19;

  /**
   * What a run takes of the heap: two columns, half empty at worst, the last of them while it is
   * copied.
   */
  private static final int RUN_BYTES = 40;

  private final TarInput input;
  private final LayerTree.Growth growth;

  /** Of the map that has most so far: there is one at a time. */
  private int mostRuns;

  /**
   * @param growth is asked before a map is larger than those before it
   */
  SparseMaps(TarInput input, LayerTree.Growth growth) {
    this.input = input;
    this.growth = growth;
  }

  /** Reads the map in a header of type S and in the blocks that follow it. */
  SparseMap oldGnu(TarField header) throws IOException {
    SparseMap map = new SparseMap();
    entries(header, OLD_FIRST, OLD_FIRST_ENTRIES, map);
    boolean more = header.at(OLD_FIRST_EXTENDED) != 0;
    while (more) {
      byte[] block = new byte[TarLimits.BLOCK_BYTES];
      long offset = input.position();
      if (!input.read(block)) {
        throw input.corrupt("the stream ends inside a sparse map", offset);
      }
      TarField fields = new TarField(block, offset, input.resource());
      entries(fields, 0, OLD_MORE_ENTRIES, map);
      more = fields.at(OLD_MORE_EXTENDED) != 0;
      if (more && fields.at(0) == 0) {
        throw input.corrupt("sparse map: an empty block, and more to come", offset);
      }
    }
    return map;
  }

  /** Reads the map in a record of format 0.1, into which those of 0.0 have been joined. */
  SparseMap pax01(PaxRecords pax, long offset) throws IOException {
    String text = pax.text(PaxRecords.SPARSE_MAP);
    long commas = text.chars().filter(each -> each == ',').count();
    long numbers = text.isEmpty() ? 0 : commas + 1;
    long expected = pax.number("GNU.sparse.numblocks", -1);
    if (numbers % 2 != 0 || numbers / 2 != expected) {
      throw input.corrupt(
          "sparse map: %d numbers for %d runs".formatted(numbers, expected), offset);
    }
    SparseMap map = new SparseMap();
    // Not split, which would make an object of each of half a million numbers.
    int at = 0;
    for (long run = 0; run < expected; run++) {
      int comma = text.indexOf(',', at);
      int end = text.indexOf(',', comma + 1);
      end = end < 0 ? text.length() : end;
      long runOffset = Long.parseLong(text, at, comma, 10);
      add(map, runOffset, Long.parseLong(text, comma + 1, end, 10), offset);
      at = end + 1;
    }
    return map;
  }

  /**
   * Reads the map in front of the data: how many runs, then offset and length of each, a line each,
   * padded to a whole block.
   *
   * @param limitBytes how much data the entry has
   */
  SparseMap pax10(long limitBytes) throws IOException {
    Lines lines = new Lines(input, limitBytes);
    long offset = input.position();
    long count = lines.next();
    if (count > TarLimits.MAX_SPARSE_ENTRIES) {
      throw tooMany(count, offset);
    }
    SparseMap map = new SparseMap();
    for (long i = 0; i < count; i++) {
      long runOffset = lines.next();
      add(map, runOffset, lines.next(), offset);
    }
    return map;
  }

  private void entries(TarField fields, int at, int count, SparseMap map) throws IOException {
    for (int i = 0; i < count; i++) {
      int entry = at + i * 2 * OLD_FIELD_BYTES;
      if (fields.at(entry) == 0) {
        return;
      }
      long offset = fields.number("sparse offset", entry, OLD_FIELD_BYTES);
      long length = fields.number("sparse size", entry + OLD_FIELD_BYTES, OLD_FIELD_BYTES);
      add(map, offset, length, input.position() - TarLimits.BLOCK_BYTES);
    }
  }

  private void add(SparseMap map, long offset, long length, long headerOffset) throws IOException {
    if (map.count() == TarLimits.MAX_SPARSE_ENTRIES) {
      throw tooMany(map.count() + 1L, headerOffset);
    }
    if (map.count() == mostRuns) {
      growth.grow(RUN_BYTES);
      mostRuns++;
    }
    if (!map.add(offset, length)) {
      throw input.corrupt(
          "sparse map: run of %d bytes at %d, the one before ends at %d"
              .formatted(length, offset, map.end()),
          headerOffset);
    }
  }

  private CorruptException tooMany(long count, long offset) {
    return input.corrupt(
        "sparse map: %d runs, at most %d".formatted(count, TarLimits.MAX_SPARSE_ENTRIES), offset);
  }

  /** Decimal numbers, a line each, read block by block. */
  private static final class Lines {
    private final TarInput input;
    private final byte[] block = new byte[TarLimits.BLOCK_BYTES];
    private long leftBytes;
    private int position = block.length;

    Lines(TarInput input, long limitBytes) {
      this.input = input;
      this.leftBytes = limitBytes;
    }

    long next() throws IOException {
      long value = 0;
      for (int digits = 0; ; digits++) {
        byte b = nextByte();
        if (b == '\n' && digits > 0) {
          return value;
        }
        if (b < '0' || b > '9' || digits == MAX_DIGITS || value > Long.MAX_VALUE / 10 - 1) {
          throw input.corrupt(
              "sparse map: no decimal number", input.position() - block.length + position - 1);
        }
        value = value * 10 + b - '0';
      }
    }

    private byte nextByte() throws IOException {
      if (position == block.length) {
        if (leftBytes < block.length || !input.read(block)) {
          throw input.corrupt("sparse map: longer than the entry", input.position());
        }
        leftBytes -= block.length;
        position = 0;
      }
      return block[position++];
    }
  }
}
