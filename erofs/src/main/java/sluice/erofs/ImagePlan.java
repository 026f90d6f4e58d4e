package sluice.erofs;

import java.io.IOException;
import java.util.List;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * Where everything of an image lies, computed before a byte is written.
 *
 * <pre>
 *   1024  superblock, device table, inodes with their xattrs, chunk indexes and inline data
 *         (next block) shared xattrs
 *         (next block) blocks of directories and symlinks that are not inline
 * </pre>
 *
 * <p>All inodes are extended, as compact ones hold no time. Inodes lie in the order of their
 * numbers. Inline data must lie within one block, with its inode and xattrs, as kernels before 6.12
 * ask of symlinks; where it would not, the inode moves to the next block.
 */
final class ImagePlan {

  static final int BLOCK_BITS = 12;
  static final int BLOCK_BYTES = DeviceSlot.BLOCK_BYTES;

  /** Where the device table begins: right behind the superblock. */
  static final long DEVICE_TABLE_AT = Superblock.OFFSET + Superblock.BYTES;

  /** 16 GiB: a tree of 100 million files; hostile ones ask for more. */
  private static final long MAX_IMAGE_BYTES = 16L << 30;

  /** {@code PATH_MAX} less the NUL. */
  private static final int MAX_TARGET_BYTES = 4095;

  /** Data that lies nowhere. */
  private static final byte NO_DATA = 0;

  private static final byte INLINE = 1;
  private static final byte PLAIN = 2;

  private final TreeSource source;
  private final List<DeviceSlot> devices;
  private final XattrPlan xattrs;
  private final DirectoryBlocks directories;

  private final long metaOffset;
  private final int[] slots;
  private final int[] sizes;
  private final int[] blocks;

  /** {@link #NO_DATA}, {@link #INLINE}, {@link #PLAIN}, or the bits of a chunk size. */
  private final byte[] shapes;

  private long inodesEnd;
  private long blockCount;

  private ImagePlan(TreeSource source, List<DeviceSlot> devices, XattrPlan xattrs) {
    this.source = source;
    this.devices = devices;
    this.xattrs = xattrs;
    this.directories = new DirectoryBlocks(source);
    this.metaOffset = deviceTableEnd() & -BLOCK_BYTES;
    this.slots = new int[source.inodes()];
    this.sizes = new int[source.inodes()];
    this.blocks = new int[source.inodes()];
    this.shapes = new byte[source.inodes()];
  }

  /**
   * @param growth is asked for what is kept of xattrs
   */
  static ImagePlan of(TreeSource source, List<DeviceSlot> devices, LayerTree.Growth growth)
      throws IOException {
    ImagePlan plan = new ImagePlan(source, devices, XattrPlan.of(source, growth));
    long at = Math.max(plan.deviceTableEnd(), plan.metaOffset + Inode.SLOT_BYTES);
    for (int inode = 0; inode < source.inodes(); inode++) {
      at = plan.place(inode, at);
      if (at + (plan.blockCount << BLOCK_BITS) > MAX_IMAGE_BYTES) {
        throw plan.corrupt(inode, "the tree needs more than %d bytes".formatted(MAX_IMAGE_BYTES));
      }
    }
    plan.inodesEnd = at;
    return plan;
  }

  private long place(int inode, long from) throws IOException {
    TreeSource.Head head = source.head(inode);
    int header = Inode.EXTENDED_BYTES + xattrs.area(inode).bytes();
    long at = from;
    long end =
        switch (FileType.ofMode(head.mode())) {
          case REGULAR -> placeFile(inode, head.sizeBytes(), at + header);
          case DIRECTORY, SYMLINK -> {
            int tail = placeData(inode, dataBytes(inode, head), header);
            if (tail > 0 && (at & -BLOCK_BYTES) != ((at + header + tail - 1) & -BLOCK_BYTES)) {
              at = roundUp(at, BLOCK_BYTES);
            }
            yield at + header + tail;
          }
          case CHARACTER, BLOCK, FIFO, SOCKET -> at + header;
        };
    slots[inode] = (int) ((at - metaOffset) / Inode.SLOT_BYTES);
    return roundUp(end, Inode.SLOT_BYTES);
  }

  private long placeFile(int inode, long sizeBytes, long body) throws IOException {
    if (sizeBytes == 0) {
      return body;
    }
    source.extents(inode, extent -> checkExtent(inode, extent));
    ChunkPlan chunks = ChunkPlan.of(source, inode, sizeBytes);
    if (chunks.count() > ChunkPlan.MAX_CHUNKS) {
      throw corrupt(
          inode,
          "%d bytes need %d chunks of %d bytes, the limit is %d"
              .formatted(sizeBytes, chunks.count(), 1L << chunks.bits(), ChunkPlan.MAX_CHUNKS));
    }
    shapes[inode] = (byte) chunks.bits();
    return roundUp(body, ChunkIndexes.INDEX_BYTES) + chunks.count() * ChunkIndexes.INDEX_BYTES;
  }

  private void checkExtent(int inode, Extent extent) throws CorruptException {
    if (extent.device() >= devices.size()
        || extent.deviceOffset() + extent.lengthBytes()
            > devices.get(extent.device()).lengthBytes()) {
      throw corrupt(inode, extent + " lies outside of its device");
    }
  }

  private long dataBytes(int inode, TreeSource.Head head) throws IOException {
    if (FileType.DIRECTORY.of(head.mode())) {
      return directories.sizeBytes(inode);
    }
    Bytes target = source.target(inode);
    if (target.length() == 0
        || target.length() > MAX_TARGET_BYTES
        || target.indexOf((byte) 0, 0) >= 0) {
      throw corrupt(
          inode,
          "link target of %d bytes; 1 to %d without NUL are possible"
              .formatted(target.length(), MAX_TARGET_BYTES));
    }
    return target.length();
  }

  /** Places data of a directory or symlink, and returns how much of it is inline. */
  private int placeData(int inode, long sizeBytes, int header) throws CorruptException {
    if (sizeBytes > Integer.MAX_VALUE) {
      throw corrupt(inode, "directory of %d bytes".formatted(sizeBytes));
    }
    int tail = (int) (sizeBytes & (BLOCK_BYTES - 1));
    boolean inline = tail > 0 && header + tail <= BLOCK_BYTES;
    sizes[inode] = (int) sizeBytes;
    shapes[inode] = inline ? INLINE : PLAIN;
    blocks[inode] = (int) blockCount;
    blockCount += inline ? sizeBytes >> BLOCK_BITS : roundUp(sizeBytes, BLOCK_BYTES) >> BLOCK_BITS;
    return inline ? tail : 0;
  }

  TreeSource source() {
    return source;
  }

  List<DeviceSlot> devices() {
    return devices;
  }

  XattrPlan xattrs() {
    return xattrs;
  }

  DirectoryBlocks directories() {
    return directories;
  }

  private long deviceTableEnd() {
    return DEVICE_TABLE_AT + (long) devices.size() * DeviceTable.SLOT_BYTES;
  }

  long nid(int inode) {
    return slots[inode];
  }

  /** Where an inode begins in the image. */
  long offset(int inode) {
    return metaOffset + (long) slots[inode] * Inode.SLOT_BYTES;
  }

  /** The inode as it is written. */
  Inode inode(int inode) throws CorruptException {
    TreeSource.Head head = source.head(inode);
    boolean directory = FileType.DIRECTORY.of(head.mode());
    boolean chunked = chunkPlanned(inode);
    return new Inode(
        nid(inode),
        head.mode(),
        head.uid(),
        head.gid(),
        FileType.REGULAR.of(head.mode()) ? head.sizeBytes() : sizes[inode],
        head.mtimeSeconds(),
        head.mtimeNanos(),
        directory ? directoryLinks(inode) : head.nlink(),
        head.rdev(),
        chunked
            ? DataLayout.CHUNK_BASED
            : isInline(inode) ? DataLayout.FLAT_INLINE : DataLayout.FLAT_PLAIN,
        chunked ? chunks(inode).format() : layoutWord(inode, head),
        Inode.EXTENDED_BYTES,
        xattrs.area(inode).bytes());
  }

  private int layoutWord(int inode, TreeSource.Head head) {
    return shapes[inode] == NO_DATA ? (int) head.rdev() : (int) (dataBlock() + blocks[inode]);
  }

  private long directoryLinks(int inode) throws CorruptException {
    long links = 2;
    for (int entry = source.firstEntry(inode); entry < source.endEntry(inode); entry++) {
      if (FileType.DIRECTORY.of(source.head(source.entryInode(entry)).mode())) {
        links++;
      }
    }
    return links;
  }

  boolean isInline(int inode) {
    return shapes[inode] == INLINE;
  }

  /** Whether it is a file with chunk indexes. */
  boolean chunkPlanned(int inode) {
    return shapes[inode] > PLAIN;
  }

  ChunkPlan chunks(int inode) throws CorruptException {
    int bits = shapes[inode];
    return new ChunkPlan(bits, ((source.head(inode).sizeBytes() - 1) >>> bits) + 1);
  }

  /** How many of a directory's or symlink's blocks lie in the data area. */
  int dataBlocks(int inode) {
    return switch (shapes[inode]) {
      case INLINE -> sizes[inode] >> BLOCK_BITS;
      case PLAIN -> (int) (roundUp(sizes[inode], BLOCK_BYTES) >> BLOCK_BITS);
      default -> 0;
    };
  }

  long sharedXattrsAt() {
    return roundUp(inodesEnd, BLOCK_BYTES);
  }

  long dataAt() {
    return roundUp(sharedXattrsAt() + xattrs.sharedBytes(), BLOCK_BYTES);
  }

  long imageBytes() {
    return dataAt() + (blockCount << BLOCK_BITS);
  }

  private long dataBlock() {
    return dataAt() >> BLOCK_BITS;
  }

  Superblock superblock() {
    int incompat =
        Superblock.INCOMPAT_CHUNKED_FILE
            | (devices.isEmpty() ? 0 : Superblock.INCOMPAT_DEVICE_TABLE);
    return new Superblock(
        0,
        Superblock.COMPAT_CHECKSUM | Superblock.COMPAT_MTIME,
        BLOCK_BITS,
        (int) nid(0),
        source.inodes(),
        0,
        0,
        imageBytes() >> BLOCK_BITS,
        metaOffset >> BLOCK_BITS,
        xattrs.sharedBytes() == 0 ? 0 : sharedXattrsAt() >> BLOCK_BITS,
        incompat,
        devices.size(),
        (int) (DEVICE_TABLE_AT / DeviceTable.SLOT_BYTES),
        0,
        0,
        0);
  }

  private static long roundUp(long bytes, int unit) {
    return (bytes + unit - 1) & -unit;
  }

  private CorruptException corrupt(int inode, String problem) {
    return new CorruptException(
        "%s: %s".formatted(Paths.of(source, inode), problem), source.resource(), -1);
  }
}
