package sluice.formats.rafs;

import static sluice.formats.rafs.Layout.LE_INT;
import static sluice.formats.rafs.Layout.LE_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding;
import sluice.core.ChunkEncoding.DeflateCheckpoint;

/**
 * A checkpoint in a gzip layer: {@code ZranInflateContext}.
 *
 * <pre>
 *  0  u64 in_offset, u64 out_offset, u64 dict_offset
 * 24  u32 in_len, u32 out_len, u32 dict_size
 * 36  u8 ctx_byte, u8 ctx_bits, 2 bytes reserved
 * </pre>
 *
 * @param windowOffset in the dictionaries
 */
record ZranContext(
    long encodedOffset,
    long encodedBytes,
    long decodedBytes,
    long windowOffset,
    long windowBytes,
    int firstByte,
    int bits) {

  static final int BYTES = 40;

  /** Reads a context whose bytes are all in {@code table}; its numbers are not checked. */
  static ZranContext read(MemorySegment table, long at) {
    return new ZranContext(
        table.get(LE_LONG, at),
        Integer.toUnsignedLong(table.get(LE_INT, at + 24)),
        Integer.toUnsignedLong(table.get(LE_INT, at + 28)),
        table.get(LE_LONG, at + 16),
        Integer.toUnsignedLong(table.get(LE_INT, at + 32)),
        Byte.toUnsignedInt(table.get(ValueLayout.JAVA_BYTE, at + 36)),
        Byte.toUnsignedInt(table.get(ValueLayout.JAVA_BYTE, at + 37)));
  }

  /** The range of the layer. */
  ByteRange encoded() {
    return new ByteRange(encodedOffset, encodedBytes);
  }

  /** How it is decoded. */
  ChunkEncoding encoding() {
    return new DeflateCheckpoint(firstByte, bits, new ByteRange(windowOffset, windowBytes));
  }

  @Override
  public String toString() {
    return "zran context of %d bytes at %s, decoded %d, dictionary of %d at %s, %d bits"
        .formatted(
            encodedBytes,
            Long.toUnsignedString(encodedOffset),
            decodedBytes,
            windowBytes,
            Long.toUnsignedString(windowOffset),
            bits);
  }
}
