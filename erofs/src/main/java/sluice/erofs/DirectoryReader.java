package sluice.erofs;

import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * Finds and lists the entries of directories. Safe for use by many threads.
 *
 * <p>A directory's blocks each begin with an array of {@code struct erofs_dirent}, 12 bytes: u64
 * {@code nid}, u16 {@code nameoff}, u8 {@code file_type}, u8 reserved; the first {@code nameoff}
 * says how many. The names follow; the last one ends with the block, with the directory, or at a
 * NUL. Names rise, as unsigned bytes, over the whole directory.
 *
 * <p>A cookie is the number of a block, 16 bits up, and of an entry in it.
 */
final class DirectoryReader {

  static final int DIRENT_BYTES = 12;
  static final int MAX_NAME_BYTES = 255;

  private static final String STRUCTURE = "dirent";
  private static final int NAME_AT = 8;
  private static final int TYPE_AT = 10;
  private static final int COOKIE_SHIFT = 16;
  private static final int COOKIE_MASK = (1 << COOKIE_SHIFT) - 1;
  private static final int[] LINUX_TYPES = linuxTypes();

  private final ImageBytes image;
  private final Superblock superblock;
  private final DataMap data;

  DirectoryReader(ImageBytes image, Superblock superblock, DataMap data) {
    this.image = image;
    this.superblock = superblock;
    this.data = data;
  }

  long lookup(Inode directory, Bytes name) throws CorruptException {
    long low = 0;
    long high = blocks(directory) - 1;
    Block found = null;
    while (low <= high) {
      long middle = (low + high) >>> 1;
      Block block = block(directory, middle);
      if (block.compareName(name, 0) >= 0) {
        found = block;
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return found == null ? MetadataImage.NO_ENTRY : found.lookup(name);
  }

  void list(Inode directory, long cookie, DirectoryVisitor visitor) throws CorruptException {
    if (cookie < 0) {
      throw new IllegalArgumentException("directory cookie " + cookie);
    }
    long blocks = blocks(directory);
    int entry = (int) (cookie & COOKIE_MASK);
    for (long number = cookie >>> COOKIE_SHIFT; number < blocks; number++) {
      Block block = block(directory, number);
      for (; entry < block.count; entry++) {
        long next =
            entry + 1 < block.count
                ? (number << COOKIE_SHIFT) + entry + 1
                : (number + 1) << COOKIE_SHIFT;
        if (!visitor.entry(next, block.nid(entry), block.linuxType(entry), block.name(entry))) {
          return;
        }
      }
      entry = 0;
    }
  }

  private long blocks(Inode directory) {
    return directory.sizeBytes() == 0
        ? 0
        : ((directory.sizeBytes() - 1) >>> superblock.blockBits()) + 1;
  }

  private Block block(Inode directory, long number) throws CorruptException {
    long offset = number << superblock.blockBits();
    Mapping mapping = data.map(directory, offset);
    int length = (int) Math.min(superblock.blockBytes(), directory.sizeBytes() - offset);
    if (mapping.device() != Mapping.IMAGE || mapping.lengthBytes() < length) {
      throw image.corrupt(
          "directory %d: block %d lies outside of the image".formatted(directory.nid(), number),
          directory.offset(superblock));
    }
    return new Block(directory, mapping.deviceOffset(), length);
  }

  private static int[] linuxTypes() {
    int[] types = new int[FileType.values().length + 1];
    for (FileType type : FileType.values()) {
      types[type.direntType()] = type.linuxType();
    }
    return types;
  }

  /** One block of a directory, the array of its dirents checked. */
  private final class Block {
    private final Inode directory;
    private final long start;
    private final int length;
    final int count;

    Block(Inode directory, long start, int length) throws CorruptException {
      this.directory = directory;
      this.start = start;
      this.length = length;
      int names = length < DIRENT_BYTES ? 0 : image.u16(STRUCTURE, start + NAME_AT);
      if (names < DIRENT_BYTES || names >= length || names % DIRENT_BYTES != 0) {
        throw corrupt("names begin at " + names, 0);
      }
      this.count = names / DIRENT_BYTES;
    }

    long lookup(Bytes name) throws CorruptException {
      int low = 0;
      int high = count - 1;
      while (low <= high) {
        int middle = (low + high) >>> 1;
        int order = compareName(name, middle);
        if (order == 0) {
          return nid(middle);
        }
        if (order > 0) {
          low = middle + 1;
        } else {
          high = middle - 1;
        }
      }
      return MetadataImage.NO_ENTRY;
    }

    int compareName(Bytes name, int entry) throws CorruptException {
      long from = nameStart(entry);
      return image.compare(name, from, nameEnd(entry, from));
    }

    long nid(int entry) throws CorruptException {
      return image.i64(STRUCTURE, at(entry));
    }

    int linuxType(int entry) throws CorruptException {
      int type = image.u8(STRUCTURE, at(entry) + TYPE_AT);
      return type < LINUX_TYPES.length ? LINUX_TYPES[type] : 0;
    }

    Bytes name(int entry) throws CorruptException {
      long from = nameStart(entry);
      long to = nameEnd(entry, from);
      if (image.find('/', from, to) < to || image.find(0, from, to) < to) {
        throw corrupt("a name holds a slash or a NUL", entry);
      }
      return image.bytes(STRUCTURE, from, (int) (to - from));
    }

    private long nameStart(int entry) throws CorruptException {
      return start + image.u16(STRUCTURE, at(entry) + NAME_AT);
    }

    private long nameEnd(int entry, long from) throws CorruptException {
      long end = start + length;
      boolean last = entry + 1 == count;
      long to = last ? end : nameStart(entry + 1);
      if (from < start + (long) count * DIRENT_BYTES || to > end || from >= to) {
        throw corrupt("name at %d to %d".formatted(from - start, to - start), entry);
      }
      long trimmed = last ? image.find(0, from, Math.min(to, from + MAX_NAME_BYTES + 1)) : to;
      if (trimmed == from || trimmed - from > MAX_NAME_BYTES) {
        throw corrupt("name of %d bytes".formatted(trimmed - from), entry);
      }
      return trimmed;
    }

    private long at(int entry) {
      return start + (long) entry * DIRENT_BYTES;
    }

    private CorruptException corrupt(String problem, int entry) {
      return image.corrupt("directory %d: %s".formatted(directory.nid(), problem), at(entry));
    }
  }
}
