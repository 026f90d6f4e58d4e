package sluice.snapshotter.state;

/**
 * What a snapshot occupies on disk, without its parents.
 *
 * @param sizeBytes bytes of disk, not apparent size
 * @param inodes number of inodes
 */
public record Usage(long sizeBytes, long inodes) {

  /** Nothing. */
  public static final Usage NONE = new Usage(0, 0);
}
