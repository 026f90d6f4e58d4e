package sluice.erofs;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import sluice.core.Bytes;

/**
 * Mode, owner, time and xattrs of one inode.
 *
 * @param mode {@code st_mode}: permissions, set-id and sticky bits. The type bits may be there or
 *     not; {@link LayerTree} sets those of the method that is called (for {@code special} they must
 *     be there)
 * @param uid unsigned 32 bits
 * @param gid unsigned 32 bits
 * @param mtimeSeconds seconds since 1970, negative before
 * @param mtimeNanos 0 to 999,999,999, always forward from {@code mtimeSeconds}
 * @param xattrs by full name, for example {@code user.a}
 */
public record Attributes(
    int mode,
    long uid,
    long gid,
    long mtimeSeconds,
    int mtimeNanos,
    SortedMap<Bytes, Bytes> xattrs) {

  private static final int NANOS_PER_SECOND = 1_000_000_000;
  private static final long MAX_ID = 0xffff_ffffL;

  public Attributes {
    if ((mode & ~0xffff) != 0) {
      throw new IllegalArgumentException("attributes: mode 0%o".formatted(mode));
    }
    if (uid < 0 || uid > MAX_ID || gid < 0 || gid > MAX_ID) {
      throw new IllegalArgumentException("attributes: uid %d, gid %d".formatted(uid, gid));
    }
    if (mtimeNanos < 0 || mtimeNanos >= NANOS_PER_SECOND) {
      throw new IllegalArgumentException("attributes: %d nanoseconds".formatted(mtimeNanos));
    }
    xattrs =
        xattrs.isEmpty()
            ? Collections.emptySortedMap()
            : Collections.unmodifiableSortedMap(new TreeMap<>(xattrs));
  }

  /** Attributes without xattrs. */
  public Attributes(int mode, long uid, long gid, long mtimeSeconds, int mtimeNanos) {
    this(mode, uid, gid, mtimeSeconds, mtimeNanos, Collections.emptySortedMap());
  }

  /** The same with another mode. */
  Attributes withMode(int newMode) {
    return newMode == mode
        ? this
        : new Attributes(newMode, uid, gid, mtimeSeconds, mtimeNanos, xattrs);
  }

  /** The same with other xattrs. */
  Attributes withXattrs(SortedMap<Bytes, Bytes> newXattrs) {
    return newXattrs.isEmpty() && xattrs.isEmpty()
        ? this
        : new Attributes(mode, uid, gid, mtimeSeconds, mtimeNanos, newXattrs);
  }
}
