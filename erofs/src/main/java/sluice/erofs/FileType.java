package sluice.erofs;

/**
 * The types of inodes: {@code S_IFMT} bits of a mode, and {@code FT_*} of a dirent ({@code
 * include/linux/fs_types.h}).
 */
public enum FileType {
  REGULAR(0x8000, 1),
  DIRECTORY(0x4000, 2),
  CHARACTER(0x2000, 3),
  BLOCK(0x6000, 4),
  FIFO(0x1000, 5),
  SOCKET(0xc000, 6),
  SYMLINK(0xa000, 7);

  /** {@code S_IFMT}. */
  public static final int MASK = 0xf000;

  private static final FileType[] VALUES = values();

  private final int modeBits;
  private final int direntType;

  FileType(int modeBits, int direntType) {
    this.modeBits = modeBits;
    this.direntType = direntType;
  }

  /** The type bits of a mode. */
  public int modeBits() {
    return modeBits;
  }

  /** The number in a dirent; {@code d_type} of Linux is another one, see {@link #linuxType}. */
  public int direntType() {
    return direntType;
  }

  /** {@code DT_*} of {@code dirent.h}. */
  public int linuxType() {
    return modeBits >>> 12;
  }

  /** Whether {@code mode} is of this type. */
  public boolean of(int mode) {
    return (mode & MASK) == modeBits;
  }

  /** {@code mode} with this type's bits. */
  int in(int mode) {
    return (mode & ~MASK) | modeBits;
  }

  /**
   * The type that a mode says.
   *
   * @throws IllegalArgumentException if its type bits are of no type
   */
  public static FileType ofMode(int mode) {
    for (FileType type : VALUES) {
      if (type.of(mode)) {
        return type;
      }
    }
    throw new IllegalArgumentException("mode 0%o: no such file type".formatted(mode));
  }

  static boolean known(int mode) {
    for (FileType type : VALUES) {
      if (type.of(mode)) {
        return true;
      }
    }
    return false;
  }
}
