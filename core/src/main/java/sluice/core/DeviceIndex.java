package sluice.core;

/**
 * What an index says of one blob: the chunks that fill its device.
 *
 * @param blob digest of the blob
 * @param lengthBytes length of the device, a multiple of 4096
 * @param chunks by rising {@link Chunk#deviceOffset}; placements of different chunks do not
 *     overlap. Iterated more than once, each time with the same chunks; made as it is iterated, so
 *     that ten million of them need no memory
 */
public record DeviceIndex(Digest blob, long lengthBytes, Iterable<Chunk> chunks) {

  /** Devices are counted in blocks of this many bytes, the block size of metadata images. */
  public static final int BLOCK_BYTES = 4096;

  public DeviceIndex {
    if (lengthBytes < 0 || lengthBytes % BLOCK_BYTES != 0) {
      throw new IllegalArgumentException("device of " + blob + ": length " + lengthBytes);
    }
  }
}
