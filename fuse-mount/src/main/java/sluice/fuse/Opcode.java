package sluice.fuse;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** {@code enum fuse_opcode} of {@code linux/fuse.h}. */
public enum Opcode {
  LOOKUP(1),
  FORGET(2),
  GETATTR(3),
  SETATTR(4),
  READLINK(5),
  SYMLINK(6),
  MKNOD(8),
  MKDIR(9),
  UNLINK(10),
  RMDIR(11),
  RENAME(12),
  LINK(13),
  OPEN(14),
  READ(15),
  WRITE(16),
  STATFS(17),
  RELEASE(18),
  FSYNC(20),
  SETXATTR(21),
  GETXATTR(22),
  LISTXATTR(23),
  REMOVEXATTR(24),
  FLUSH(25),
  INIT(26),
  OPENDIR(27),
  READDIR(28),
  RELEASEDIR(29),
  FSYNCDIR(30),
  GETLK(31),
  SETLK(32),
  SETLKW(33),
  ACCESS(34),
  CREATE(35),
  INTERRUPT(36),
  BMAP(37),
  DESTROY(38),
  IOCTL(39),
  POLL(40),
  NOTIFY_REPLY(41),
  BATCH_FORGET(42),
  FALLOCATE(43),
  READDIRPLUS(44),
  RENAME2(45),
  LSEEK(46),
  COPY_FILE_RANGE(47),
  SETUPMAPPING(48),
  REMOVEMAPPING(49),
  SYNCFS(50),
  TMPFILE(51),
  STATX(52);

  private static final @Nullable Opcode[] BY_CODE = new @Nullable Opcode[STATX.code + 1];

  static {
    for (Opcode opcode : values()) {
      BY_CODE[opcode.code] = opcode;
    }
  }

  private final int code;
  private final String label;

  Opcode(int code) {
    this.code = code;
    this.label = name().toLowerCase(Locale.ROOT);
  }

  /** The number on the wire. */
  public int code() {
    return code;
  }

  /** The name in lower case, as metrics tag it. */
  public String label() {
    return label;
  }

  /** Whether the kernel waits for an answer. */
  public boolean answered() {
    return this != FORGET && this != BATCH_FORGET && this != INTERRUPT;
  }

  /** The opcode of a number, or null for one that came after protocol 7.39. */
  public static @Nullable Opcode of(int code) {
    return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
  }
}
