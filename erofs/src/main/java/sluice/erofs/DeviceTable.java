package sluice.erofs;

import static sluice.erofs.ImageBytes.LE_INT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import sluice.core.CorruptException;

/**
 * The device table: slots of 128 bytes ({@code struct erofs_deviceslot}).
 *
 * <pre>
 *   0 u8[64] tag      64 u32 blocks      68 u32 uniaddr (mapped_blkaddr)      72 u8[56] reserved
 * </pre>
 */
final class DeviceTable {

  static final int SLOT_BYTES = 128;

  private static final String STRUCTURE = "device slot";
  private static final int BLOCKS_AT = 64;
  private static final int PLACED_AT = 68;

  private DeviceTable() {}

  /**
   * One slot.
   *
   * @param tag up to the first NUL
   * @param placedBlock where the device lies in the address space that begins with the image; 0 if
   *     it does not
   */
  record Slot(String tag, long blocks, long placedBlock, int index) {

    /** Writes it over zeros. */
    void write(MemorySegment at) {
      byte[] text = tag.getBytes(StandardCharsets.ISO_8859_1);
      MemorySegment.copy(text, 0, at, ValueLayout.JAVA_BYTE, 0, text.length);
      at.set(LE_INT, BLOCKS_AT, (int) blocks);
      at.set(LE_INT, PLACED_AT, (int) placedBlock);
    }
  }

  static List<Slot> read(ImageBytes image, Superblock superblock) throws CorruptException {
    int count =
        (superblock.featureIncompat() & Superblock.INCOMPAT_DEVICE_TABLE) == 0
            ? 0
            : superblock.extraDevices();
    long start = (long) superblock.deviceSlotOffset() * SLOT_BYTES;
    image.require("device table", start, (long) count * SLOT_BYTES);
    List<Slot> slots = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      long at = start + (long) i * SLOT_BYTES;
      int tagBytes = (int) (image.find(0, at, at + DeviceSlot.TAG_BYTES) - at);
      byte[] tag = image.bytes(STRUCTURE, at, tagBytes).toArray();
      slots.add(
          new Slot(
              new String(tag, StandardCharsets.ISO_8859_1),
              image.u32(STRUCTURE, at + BLOCKS_AT),
              image.u32(STRUCTURE, at + PLACED_AT),
              i));
    }
    return List.copyOf(slots);
  }
}
