package sluice.erofs;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import sluice.core.Bytes;

/**
 * What EROFS cannot say and per-layer images keep as xattrs, and which xattrs of an image are never
 * believed. A mounted image holds none of the private marks.
 */
final class Marks {

  /** On a directory that has no entry of its own: its attributes are those of the one below. */
  static final Bytes IMPLIED = Bytes.utf8("trusted.sluice.implied");

  /** On an empty file that stands for a hard link: the path of its target. */
  static final Bytes LINK = Bytes.utf8("trusted.sluice.link");

  /** On a directory that hides what lies below it; overlayfs knows it, too. */
  static final Bytes OPAQUE = Bytes.utf8("trusted.overlay.opaque");

  static final Bytes OPAQUE_VALUE = Bytes.utf8("y");

  private static final Bytes[] FORBIDDEN = {
    Bytes.utf8("trusted.overlay."), Bytes.utf8("user.overlay."), Bytes.utf8("trusted.sluice.")
  };

  private Marks() {}

  /**
   * Leaves out what an image may not say: xattrs that overlayfs or we would obey, and names outside
   * of every namespace that Linux and EROFS know, which no unpack can set either.
   */
  static SortedMap<Bytes, Bytes> allowed(SortedMap<Bytes, Bytes> xattrs) {
    if (xattrs.isEmpty() || xattrs.keySet().stream().allMatch(Marks::allowed)) {
      return xattrs;
    }
    SortedMap<Bytes, Bytes> kept = new TreeMap<>();
    xattrs.forEach((name, value) -> {
      if (allowed(name)) {
        kept.put(name, value);
      }
    });
    return Collections.unmodifiableSortedMap(kept);
  }

  private static boolean allowed(Bytes name) {
    for (Bytes prefix : FORBIDDEN) {
      if (name.startsWith(prefix)) {
        return false;
      }
    }
    return XattrNamespace.ofName(name).isPresent();
  }
}
