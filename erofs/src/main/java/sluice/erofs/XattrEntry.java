package sluice.erofs;

import static sluice.erofs.ImageBytes.LE_SHORT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * The head of one xattr ({@code struct erofs_xattr_entry}), 4 bytes; the name without its prefix
 * and the value follow, and the whole is padded to 4 bytes.
 *
 * <pre>
 *   0 u8  e_name_len      1 u8  e_name_index      2 u16 e_value_size
 * </pre>
 *
 * <p>An inode's xattrs begin with {@code struct erofs_xattr_ibody_header}, 12 bytes: u32 name
 * filter, u8 number of shared xattrs, 7 reserved; then the numbers of the shared ones, u32 each;
 * then its own entries.
 *
 * @param nameIndex {@link XattrNamespace#index}, or with the bit {@link #LONG_PREFIX} the number of
 *     a long prefix
 */
record XattrEntry(int nameBytes, int nameIndex, int valueBytes) {

  static final int BYTES = 4;

  /** Size of {@code struct erofs_xattr_ibody_header}. */
  static final int HEADER_BYTES = 12;

  /** Where {@code h_shared_count} lies in that header. */
  static final int SHARED_COUNT_AT = 4;

  static final int MAX_SHARED = 255;

  static final int MAX_NAME_BYTES = 255;

  static final int MAX_VALUE_BYTES = 65_535;

  /** {@code EROFS_XATTR_LONG_PREFIX}. */
  static final int LONG_PREFIX = 0x80;

  private static final int MAX_AREA_COUNT = 0xffff;

  static XattrEntry read(ImageBytes image, long offset) throws CorruptException {
    image.require("xattr", offset, BYTES);
    return new XattrEntry(
        image.u8("xattr", offset), image.u8("xattr", offset + 1), image.u16("xattr", offset + 2));
  }

  /** Writes a whole entry, padding left out, over zeros. */
  void write(MemorySegment at, Bytes name, Bytes value) {
    at.set(ValueLayout.JAVA_BYTE, 0, (byte) nameBytes);
    at.set(ValueLayout.JAVA_BYTE, 1, (byte) nameIndex);
    at.set(LE_SHORT, 2, (short) valueBytes);
    MemorySegment.copy(MemorySegment.ofBuffer(name.asBuffer()), 0, at, BYTES, nameBytes);
    MemorySegment.copy(
        MemorySegment.ofBuffer(value.asBuffer()), 0, at, BYTES + nameBytes, valueBytes);
  }

  /** Size of the whole entry. */
  int totalBytes() {
    return (BYTES + nameBytes + valueBytes + 3) & ~3;
  }

  /** Size of an inode's xattrs by {@code i_xattr_icount}. */
  static int areaBytes(int count) {
    return count == 0 ? 0 : HEADER_BYTES + BYTES * (count - 1);
  }

  /** {@code i_xattr_icount} of that many bytes. */
  static int areaCount(int areaBytes) {
    return areaBytes == 0 ? 0 : (areaBytes - HEADER_BYTES) / BYTES + 1;
  }

  /** The most that an inode's xattrs may take: 262,148 bytes. */
  static int maxAreaBytes() {
    return areaBytes(MAX_AREA_COUNT);
  }
}
