package sluice.formats.tar;

import java.io.IOException;
import sluice.core.CorruptException;

/**
 * Reads the maps of sparse files in each form that GNU tar writes (GNU tar manual, "Storing Sparse
 * Files"): in old GNU headers, in PAX records (0.0 and 0.1), and before the data (1.0).
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

  private SparseMaps() {}

  /** Reads the map in a header of type S and in the blocks that follow it. */
  static SparseMap oldGnu(TarField header, TarInput input) throws IOException {
    SparseMap map = new SparseMap();
    entries(header, OLD_FIRST, OLD_FIRST_ENTRIES, map, input);
    boolean more = header.at(OLD_FIRST_EXTENDED) != 0;
    while (more) {
      byte[] block = new byte[TarLimits.BLOCK_BYTES];
      long offset = input.position();
      if (!input.read(block)) {
        throw input.corrupt("the stream ends inside a sparse map", offset);
      }
      TarField fields = new TarField(block, offset, input.resource());
      entries(fields, 0, OLD_MORE_ENTRIES, map, input);
      more = fields.at(OLD_MORE_EXTENDED) != 0;
      if (more && fields.at(0) == 0) {
        throw input.corrupt("sparse map: an empty block, and more to come", offset);
      }
    }
    return map;
  }

  /** Reads the map in a record of format 0.1, into which those of 0.0 have been joined. */
  static SparseMap pax01(PaxRecords pax, long offset, TarInput input) throws IOException {
    String text = pax.text(PaxRecords.SPARSE_MAP);
    String[] numbers = text.isEmpty() ? new String[0] : text.split(",", -1);
    long expected = pax.number("GNU.sparse.numblocks", -1);
    if (numbers.length % 2 != 0 || numbers.length / 2 != expected) {
      throw input.corrupt(
          "sparse map: %d numbers for %d runs".formatted(numbers.length, expected), offset);
    }
    SparseMap map = new SparseMap();
    for (int i = 0; i < numbers.length; i += 2) {
      add(map, Long.parseLong(numbers[i]), Long.parseLong(numbers[i + 1]), offset, input);
    }
    return map;
  }

  /**
   * Reads the map in front of the data: how many runs, then offset and length of each, a line each,
   * padded to a whole block.
   *
   * @param limitBytes how much data the entry has
   */
  static SparseMap pax10(TarInput input, long limitBytes) throws IOException {
    Lines lines = new Lines(input, limitBytes);
    long offset = input.position();
    long count = lines.next();
    if (count > TarLimits.MAX_SPARSE_ENTRIES) {
      throw tooMany(count, offset, input);
    }
    SparseMap map = new SparseMap();
    for (long i = 0; i < count; i++) {
      long runOffset = lines.next();
      add(map, runOffset, lines.next(), offset, input);
    }
    return map;
  }

  private static void entries(TarField fields, int at, int count, SparseMap map, TarInput input)
      throws IOException {
    for (int i = 0; i < count; i++) {
      int entry = at + i * 2 * OLD_FIELD_BYTES;
      if (fields.at(entry) == 0) {
        return;
      }
      long offset = fields.number("sparse offset", entry, OLD_FIELD_BYTES);
      long length = fields.number("sparse size", entry + OLD_FIELD_BYTES, OLD_FIELD_BYTES);
      add(map, offset, length, input.position() - TarLimits.BLOCK_BYTES, input);
    }
  }

  private static void add(
      SparseMap map, long offset, long length, long headerOffset, TarInput input)
      throws CorruptException {
    if (map.count() == TarLimits.MAX_SPARSE_ENTRIES) {
      throw tooMany(map.count() + 1L, headerOffset, input);
    }
    if (!map.add(offset, length)) {
      throw input.corrupt(
          "sparse map: run of %d bytes at %d, the one before ends at %d"
              .formatted(length, offset, map.end()),
          headerOffset);
    }
  }

  private static CorruptException tooMany(long count, long offset, TarInput input) {
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
