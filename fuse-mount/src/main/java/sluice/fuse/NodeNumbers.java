package sluice.fuse;

/**
 * How the inodes of one image are numbered for the kernel.
 *
 * <p>A node id holds the image's number in its high 32 bits and the inode's nid in the low ones, so
 * nothing is kept per inode. Numbers of images are never used again, hence neither are node ids.
 *
 * @param image the image's number, above 0
 * @param rootNid nid of the directory that is the image's root
 * @param rootNode by which node id the kernel knows that directory
 */
record NodeNumbers(int image, long rootNid, long rootNode) {

  private static final int NID_BITS = 32;
  private static final long NID_MASK = (1L << NID_BITS) - 1;

  /**
   * Spreads the inode numbers of images, which share one st_dev, over the range: two layers of one
   * overlay may be two images, and a program that takes equal (st_dev, st_ino) for one file would
   * mix them up. 2³² divided by the golden ratio: any few multiples of it lie far apart.
   */
  private static final long INO_STRIDE = 0x9E3779B9L;

  /** Those of an image that is a directory of the node's file system. */
  static NodeNumbers ofDirectory(int image, long rootNid) {
    return new NodeNumbers(image, rootNid, nodeId(image, rootNid));
  }

  /** Those of an image that is a file system of its own. */
  static NodeNumbers ofFileSystem(long rootNid) {
    return new NodeNumbers(1, rootNid, ReadOnlyFileSystem.ROOT_NODE);
  }

  /** The number of the image that a node id is of. */
  static int imageOf(long node) {
    return (int) (node >>> NID_BITS);
  }

  /** Whether a node id can hold the nid. */
  static boolean fits(long nid) {
    return nid > 0 && nid <= NID_MASK;
  }

  long nid(long node) {
    return node == rootNode ? rootNid : node & NID_MASK;
  }

  /** The node id of a nid that {@link #fits}. */
  long node(long nid) {
    return nid == rootNid ? rootNode : nodeId(image, nid);
  }

  /** What stat(2) shows, below 2³² for programs of 32 bits. */
  long ino(long nid) {
    return 1 + Long.remainderUnsigned(nid + (image - 1) * INO_STRIDE, NID_MASK);
  }

  private static long nodeId(int image, long nid) {
    return (long) image << NID_BITS | nid;
  }
}
