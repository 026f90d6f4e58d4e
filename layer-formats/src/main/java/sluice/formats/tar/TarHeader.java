package sluice.formats.tar;

import java.util.Arrays;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * One header block of a tar stream (POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual,
 * "Basic Tar Format").
 *
 * <pre>
 *   0 name      100    257 magic     6   "ustar\0" POSIX, "ustar " GNU, else v7
 * 100 mode        8    263 version   2   "00" POSIX, " \0" GNU
 * 108 uid         8    265 uname    32
 * 116 gid         8    297 gname    32
 * 124 size       12    329 devmajor  8
 * 136 mtime      12    337 devminor  8
 * 148 chksum      8    345 prefix  155   POSIX; 131 in star's dialect, which ends in "tar\0"
 * 156 typeflag    1    345 atime 12, ctime 12, offset 12, longnames 4, unused 1,
 * 157 linkname  100        sparse 4 × 24 (386), isextended 1 (482), realsize 12 (483)   GNU
 * </pre>
 *
 * <p>Numbers are octal text between spaces and NULs, or, with the top bit set, base 256 in two's
 * complement.
 *
 * @param dialect which of the layouts above
 * @param type the typeflag as it stands
 * @param name prefix and name; not NUL-terminated
 */
record TarHeader(
    Dialect dialect,
    byte type,
    Bytes name,
    Bytes linkName,
    long size,
    long mode,
    long uid,
    long gid,
    long mtime,
    Bytes userName,
    Bytes groupName,
    long devMajor,
    long devMinor) {

  enum Dialect {
    V7,
    USTAR,
    STAR,
    GNU
  }

  static final int BYTES = TarLimits.BLOCK_BYTES;

  private static final int CHECKSUM = 148;
  private static final int CHECKSUM_BYTES = 8;
  private static final int MAGIC = 257;
  private static final int PREFIX = 345;
  private static final int PREFIX_BYTES = 155;
  private static final int STAR_PREFIX_BYTES = 131;
  private static final int STAR_TRAILER = 508;

  private static final Bytes USTAR_MAGIC = Bytes.utf8("ustar\0");
  private static final Bytes GNU_MAGIC = Bytes.utf8("ustar  \0");
  private static final Bytes STAR_TRAILER_TEXT = Bytes.utf8("tar\0");

  /**
   * Reads a header and verifies its checksum.
   *
   * @param block {@link #BYTES} bytes
   * @param offset where it lies in the tar stream
   */
  static TarHeader read(byte[] block, long offset, String resource) throws CorruptException {
    TarField fields = new TarField(block, offset, resource);
    verifyChecksum(fields, block, offset, resource);
    Dialect dialect = dialect(block);
    boolean posix = dialect != Dialect.V7;
    return new TarHeader(
        dialect,
        block[156],
        name(fields, dialect),
        fields.text(157, 100),
        fields.number("size", 124, 12),
        fields.number("mode", 100, 8),
        fields.number("uid", 108, 8),
        fields.number("gid", 116, 8),
        fields.number("mtime", 136, 12),
        posix ? fields.text(265, 32) : Bytes.EMPTY,
        posix ? fields.text(297, 32) : Bytes.EMPTY,
        posix ? fields.number("devmajor", 329, 8) : 0,
        posix ? fields.number("devminor", 337, 8) : 0);
  }

  /** Whether every byte of a block is zero: two such blocks end a tar stream. */
  static boolean isZero(byte[] block) {
    for (byte b : block) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  /** Whether entries of this type have no data, whatever their size says. */
  boolean headerOnly() {
    return type >= '1' && type <= '6';
  }

  private static Dialect dialect(byte[] block) {
    if (startsWith(block, MAGIC, GNU_MAGIC)) {
      return Dialect.GNU;
    }
    if (!startsWith(block, MAGIC, USTAR_MAGIC)) {
      return Dialect.V7;
    }
    return startsWith(block, STAR_TRAILER, STAR_TRAILER_TEXT) ? Dialect.STAR : Dialect.USTAR;
  }

  private static Bytes name(TarField fields, Dialect dialect) {
    Bytes name = fields.text(0, 100);
    Bytes prefix =
        switch (dialect) {
          case V7 -> Bytes.EMPTY;
          case GNU -> gnuPrefix(fields);
          case USTAR -> fields.text(PREFIX, PREFIX_BYTES);
          case STAR -> fields.text(PREFIX, STAR_PREFIX_BYTES);
        };
    if (prefix.length() == 0) {
      return name;
    }
    byte[] joined = Arrays.copyOf(prefix.toArray(), prefix.length() + 1 + name.length());
    joined[prefix.length()] = '/';
    name.asBuffer().get(joined, prefix.length() + 1, name.length());
    return Bytes.of(joined);
  }

  /**
   * GNU headers have no prefix, but Go before 1.8 wrote one over atime and ctime; Go reads it where
   * these are no numbers, and layers of that time are still around.
   */
  private static Bytes gnuPrefix(TarField fields) {
    if (fields.isNumber(PREFIX, 12) && fields.isNumber(PREFIX + 12, 12)) {
      return Bytes.EMPTY;
    }
    Bytes prefix = fields.text(PREFIX, PREFIX_BYTES);
    for (int i = 0; i < prefix.length(); i++) {
      if (prefix.at(i) < 0) {
        return Bytes.EMPTY;
      }
    }
    return prefix;
  }

  /** Some tars sum signed bytes, as some compilers of old did; both are good. */
  private static void verifyChecksum(TarField fields, byte[] block, long offset, String resource)
      throws CorruptException {
    long unsigned = 0;
    long signed = 0;
    for (int i = 0; i < BYTES; i++) {
      byte b = i >= CHECKSUM && i < CHECKSUM + CHECKSUM_BYTES ? (byte) ' ' : block[i];
      unsigned += b & 0xff;
      signed += b;
    }
    long expected = fields.octal("chksum", CHECKSUM, CHECKSUM_BYTES);
    if (expected != unsigned && expected != signed) {
      throw new CorruptException(
          "tar: header: checksum %d, expected %d: no tar header".formatted(unsigned, expected),
          resource,
          offset);
    }
  }

  private static boolean startsWith(byte[] block, int at, Bytes text) {
    return Bytes.of(block, at, text.length()).equals(text);
  }
}
