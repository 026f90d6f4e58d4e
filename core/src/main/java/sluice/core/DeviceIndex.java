package sluice.core;

import java.lang.foreign.MemorySegment;

/**
 * What an index says of one blob: the chunks that fill its device.
 *
 * @param blob digest of the blob
 * @param lengthBytes length of the device, a multiple of 4096
 * @param chunks by rising {@link Chunk#deviceOffset}; placements of different chunks do not
 *     overlap. Iterated more than once, each time with the same chunks; made as it is iterated, so
 *     that ten million of them need no memory
 * @param windows the dictionaries that {@link ChunkEncoding.DeflateCheckpoint#window} and {@link
 *     ChunkEncoding.DeflateSpan#window} point into; the store copies them before it returns; empty
 *     for other encodings
 * @param statements what {@link Chunk#statement} points into, for a {@link StatementCheck}; the
 *     store copies it before it returns; empty if nothing is stated
 */
public record DeviceIndex(
    Digest blob,
    long lengthBytes,
    Iterable<Chunk> chunks,
    MemorySegment windows,
    MemorySegment statements) {

  /** Devices are counted in blocks of this many bytes, the block size of metadata images. */
  public static final int BLOCK_BYTES = 4096;

  /** An index whose chunks need no dictionary, and of which nothing is stated. */
  public DeviceIndex(Digest blob, long lengthBytes, Iterable<Chunk> chunks) {
    this(blob, lengthBytes, chunks, MemorySegment.NULL);
  }

  /** An index of whose chunks nothing is stated. */
  public DeviceIndex(Digest blob, long lengthBytes, Iterable<Chunk> chunks, MemorySegment windows) {
    this(blob, lengthBytes, chunks, windows, MemorySegment.NULL);
  }

  public DeviceIndex {
    if (lengthBytes < 0 || lengthBytes % BLOCK_BYTES != 0) {
      throw new IllegalArgumentException("device of " + blob + ": length " + lengthBytes);
    }
  }
}
