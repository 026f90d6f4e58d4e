package sluice.erofs;

import java.util.List;
import sluice.core.CorruptException;

/** Says where data of regular files lies. Safe for use by many threads. */
final class DataMap {

  /** Chunks joined into one run by one call, so that a call is short: 4 MiB of 4 KiB chunks. */
  private static final int MAX_JOINED_CHUNKS = 1024;

  private final ImageBytes image;
  private final Superblock superblock;
  private final List<DeviceTable.Slot> slots;
  private final List<DeviceTable.Slot> placed;
  private final int deviceMask;

  DataMap(ImageBytes image, Superblock superblock, List<DeviceTable.Slot> slots) {
    this.image = image;
    this.superblock = superblock;
    this.slots = slots;
    this.placed = slots.stream().filter(slot -> slot.placedBlock() != 0).toList();
    this.deviceMask = mask(slots.size());
  }

  /** What the kernel leaves of {@code device_id}: as many bits as the number of devices needs. */
  private static int mask(int devices) {
    return devices == 0 ? 0 : (Integer.highestOneBit(devices) << 1) - 1;
  }

  Mapping map(Inode inode, long offset) throws CorruptException {
    long rest = inode.sizeBytes() - offset;
    return switch (inode.layout()) {
      case FLAT_PLAIN -> primary(inode, firstByte(inode) + offset, rest);
      case FLAT_INLINE -> {
        long tail = inode.sizeBytes() & -superblock.blockBytes();
        yield offset < tail
            ? primary(inode, firstByte(inode) + offset, tail - offset)
            : inline(inode, offset - tail, rest);
      }
      case CHUNK_BASED -> chunks(inode, offset, rest);
    };
  }

  private long firstByte(Inode inode) {
    return Integer.toUnsignedLong(inode.layoutWord()) << superblock.blockBits();
  }

  private Mapping inline(Inode inode, long from, long lengthBytes) throws CorruptException {
    long at = inode.bodyOffset(superblock) + from;
    image.require("inline data", at, lengthBytes);
    return new Mapping(Mapping.IMAGE, at, lengthBytes);
  }

  private Mapping chunks(Inode inode, long offset, long rest) throws CorruptException {
    int bits = superblock.blockBits() + (inode.layoutWord() & ChunkIndexes.FORMAT_BITS_MASK);
    ChunkIndexes indexes = ChunkIndexes.of(image, superblock, inode, bits);
    long chunkBlocks = 1L << (bits - superblock.blockBits());
    long first = offset >>> bits;
    int device = indexes.deviceId(first) & deviceMask;
    long block = indexes.startBlock(first);
    boolean hole = block == ChunkIndexes.HOLE;
    long next = first + 1;
    long last = Math.min(indexes.count(), first + MAX_JOINED_CHUNKS);
    while (next < last) {
      long found = indexes.startBlock(next);
      boolean joins =
          hole
              ? found == ChunkIndexes.HOLE
              : found == block + (next - first) * chunkBlocks
                  && (indexes.deviceId(next) & deviceMask) == device;
      if (!joins) {
        break;
      }
      next++;
    }
    long within = offset - (first << bits);
    long run = next == indexes.count() ? rest : ((next - first) << bits) - within;
    if (hole) {
      return new Mapping(Mapping.ZEROS, 0, run);
    }
    long at = (block << superblock.blockBits()) + within;
    return device == 0 ? primary(inode, at, run) : inDevice(inode, device - 1, at, run);
  }

  private Mapping inDevice(Inode inode, int device, long at, long lengthBytes)
      throws CorruptException {
    if (device >= slots.size()) {
      throw image.corrupt(
          "inode %d: device %d of %d".formatted(inode.nid(), device + 1, slots.size()),
          inode.offset(superblock));
    }
    long deviceBytes = slots.get(device).blocks() << superblock.blockBits();
    boolean unknown = deviceBytes == 0; // mkfs.erofs 1.5 --blobdev leaves the field 0
    if (!unknown && at > deviceBytes - lengthBytes) {
      throw image.corrupt(
          "inode %d: %d bytes at %d of a device of %d bytes"
              .formatted(inode.nid(), lengthBytes, at, deviceBytes),
          inode.offset(superblock));
    }
    return new Mapping(device, at, lengthBytes);
  }

  /**
   * Data of device 0: in the image, or where a slot says that its device lies in the address space
   * that begins with the image ({@code erofs_map_dev}).
   */
  private Mapping primary(Inode inode, long at, long lengthBytes) throws CorruptException {
    for (DeviceTable.Slot slot : placed) {
      long start = slot.placedBlock() << superblock.blockBits();
      long end = start + (slot.blocks() << superblock.blockBits());
      if (at >= start && at < end) {
        return inDevice(inode, slot.index(), at - start, lengthBytes);
      }
    }
    image.require("data of inode " + inode.nid(), at, lengthBytes);
    return new Mapping(Mapping.IMAGE, at, lengthBytes);
  }
}
