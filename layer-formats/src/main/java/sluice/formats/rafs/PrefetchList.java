package sluice.formats.rafs;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import sluice.core.ByteRange;
import sluice.core.DeviceId;
import sluice.core.DeviceIndex;
import sluice.core.LayerIndex.PrefetchHint;
import sluice.erofs.Extent;

/**
 * Turns a prefetch table into ranges of devices, in the table's order, as the tree is walked. For
 * one thread.
 */
final class PrefetchList {

  /** Hints are advice; more of them than this say no more. */
  private static final int MAX_EXTENTS = 64 * 1024;

  /** Place in the table of inodes that it names, and of what lies below such directories. */
  private final Map<Long, Integer> ranks = new HashMap<>();

  private final List<List<Extent>> extents = new ArrayList<>();
  private final boolean everything;
  private int count;

  /**
   * @param nids the table
   * @param rootNid the root; naming it means everything
   */
  PrefetchList(List<Long> nids, long rootNid) {
    this.everything = nids.contains(rootNid);
    for (Long nid : everything ? List.<Long>of() : nids) {
      ranks.putIfAbsent(nid, extents.size());
      extents.add(new ArrayList<>());
    }
  }

  /**
   * A directory's child is met.
   *
   * @return whether it is kept
   */
  boolean enter(long directoryNid, long childNid) {
    Integer rank = ranks.get(directoryNid);
    return rank != null && ranks.putIfAbsent(childNid, rank) == null;
  }

  /** A file's extent is met. */
  void add(long fileNid, Extent extent) {
    Integer rank = ranks.get(fileNid);
    if (rank != null && count < MAX_EXTENTS) {
      extents.get(rank).add(extent);
      count++;
    }
  }

  /** The hints; {@code ids} and {@code devices} are in the order of the blob table. */
  List<PrefetchHint> hints(List<DeviceId> ids, List<DeviceIndex> devices) {
    List<PrefetchHint> hints = new ArrayList<>();
    if (everything) {
      for (int i = 0; i < ids.size(); i++) {
        hints.add(new PrefetchHint(ids.get(i), new ByteRange(0, devices.get(i).lengthBytes())));
      }
    }
    for (List<Extent> group : extents) {
      for (Extent extent : group) {
        hints.add(
            new PrefetchHint(
                ids.get(extent.device()),
                new ByteRange(extent.deviceOffset(), extent.lengthBytes())));
      }
    }
    return hints;
  }
}
