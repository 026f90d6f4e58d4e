package sluice.testing;

/** The type bits of {@code st_mode}, named as the expected listings name them. */
public enum FileType {
  FIFO(0010000),
  CHAR(0020000),
  DIR(0040000),
  BLOCK(0060000),
  FILE(0100000),
  LINK(0120000),
  SOCKET(0140000);

  /** The mask of the type in {@code st_mode} ({@code S_IFMT}). */
  private static final int TYPE_MASK = 0170000;

  private final int bits;

  FileType(int bits) {
    this.bits = bits;
  }

  /** The type that {@code mode}, a full {@code st_mode}, holds. */
  public static FileType ofMode(int mode) {
    for (FileType type : values()) {
      if (type.bits == (mode & TYPE_MASK)) {
        return type;
      }
    }
    throw new IllegalArgumentException("mode 0%o has no file type".formatted(mode));
  }
}
