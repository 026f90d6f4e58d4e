package sluice.formats.toc;

import java.util.Set;
import sluice.core.Bytes;

/** What writers of eStargz add to a layer, at its root (stargz-snapshotter, estargz/types.go). */
public final class HiddenNames {

  /** What lies before it is to be fetched first. */
  static final Bytes PREFETCH_LANDMARK = Bytes.utf8(".prefetch.landmark");

  /** All of them; containers are not to see them. */
  public static final Set<Bytes> ALL =
      Set.of(
          PREFETCH_LANDMARK, Bytes.utf8(".no.prefetch.landmark"), Bytes.utf8("stargz.index.json"));

  private HiddenNames() {}
}
