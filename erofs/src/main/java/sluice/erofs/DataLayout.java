package sluice.erofs;

/** How an inode's data is laid out ({@code enum} of {@code EROFS_INODE_*} in erofs_fs.h). */
public enum DataLayout {
  /** Blocks in a row. */
  FLAT_PLAIN(0),
  /** Blocks in a row, and the last part of a block behind the inode. */
  FLAT_INLINE(2),
  /** An array of chunk indexes behind the inode. */
  CHUNK_BASED(4);

  private final int code;

  DataLayout(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }
}
