package sluice.erofs;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * Reads an EROFS image: ours, those of mkfs.erofs, and the EROFS part of RAFS v6 bootstraps.
 *
 * <p>The file is mapped, and nothing is kept per inode. It need not be trusted: every offset and
 * length is checked when it is used, every method ends after a bounded number of steps, and what
 * breaks the format is a {@link CorruptException}. Directories may form cycles in a hostile image;
 * who walks a tree must bound that.
 *
 * <p>Read are compact and extended inodes; flat, inline and chunk-based data; device tables; inline
 * and shared xattrs and long xattr prefixes. Compressed data is refused by name.
 *
 * <p>Safe for use by many threads. After {@link #close} every method throws {@link
 * IllegalStateException}. The file must not be cut short while it is open.
 */
public final class MetadataImage implements Closeable {

  /** What {@link #lookup} gives for a name that is not there. No inode has this number. */
  public static final long NO_ENTRY = 0;

  /** Longest link target: {@code PATH_MAX} with its NUL. */
  private static final int MAX_TARGET_BYTES = 4096;

  private final Path file;
  private final Arena arena;
  private final ImageBytes bytes;
  private final Superblock superblock;
  private final List<DeviceSlot> devices;
  private final DataMap data;
  private final DirectoryReader directories;
  private final XattrReader xattrs;
  private final @Nullable Set<Bytes> xattrNames;

  private MetadataImage(
      Path file,
      Arena arena,
      ImageBytes bytes,
      Superblock superblock,
      List<DeviceTable.Slot> slots,
      XattrReader xattrs,
      @Nullable Set<Bytes> xattrNames) {
    this.file = file;
    this.arena = arena;
    this.bytes = bytes;
    this.superblock = superblock;
    this.devices =
        slots.stream()
            .map(slot -> new DeviceSlot(ascii(slot), slot.blocks() << superblock.blockBits()))
            .toList();
    this.data = new DataMap(bytes, superblock, slots);
    this.directories = new DirectoryReader(bytes, superblock, data);
    this.xattrs = xattrs;
    this.xattrNames = xattrNames;
  }

  /**
   * Opens an image; the caller closes it.
   *
   * @throws CorruptException if it is none, its checksum is wrong, or it has features that cannot
   *     be read
   */
  public static MetadataImage open(Path file) throws IOException {
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      ImageBytes bytes = new ImageBytes(mapped, "metadata image " + file);
      Superblock superblock = SuperblockReader.read(bytes);
      List<DeviceTable.Slot> slots = DeviceTable.read(bytes, superblock);
      XattrReader xattrs = XattrReader.open(bytes, superblock);
      return new MetadataImage(
          file, arena, bytes, superblock, slots, xattrs, XattrNames.read(bytes, superblock));
    } catch (IOException | RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  public Superblock superblock() {
    return superblock;
  }

  /** The number of the root directory. */
  public long rootNid() {
    return superblock.rootNid();
  }

  /** The device table; slot {@code i} is device {@code i} of {@link Mapping}s. */
  public List<DeviceSlot> devices() {
    return devices;
  }

  /**
   * Reads an inode.
   *
   * @throws CorruptException if there is none of that number, or it breaks the format
   */
  public Inode inode(long nid) throws CorruptException {
    return Inode.read(bytes, superblock, nid);
  }

  /**
   * Finds an entry in logarithmic time.
   *
   * @return its inode's number, or {@link #NO_ENTRY}
   */
  public long lookup(long directoryNid, Bytes name) throws CorruptException {
    return lookup(inode(directoryNid), name);
  }

  /** {@link #lookup(long, Bytes)} for an inode that is at hand. */
  public long lookup(Inode directory, Bytes name) throws CorruptException {
    requireType(directory, FileType.DIRECTORY);
    return directories.lookup(directory, name);
  }

  /**
   * Lists a directory, {@code .} and {@code ..} included, sorted by name as unsigned bytes.
   *
   * @param cookie 0 to begin, or a cookie that an earlier listing gave
   */
  public void list(Inode directory, long cookie, DirectoryVisitor visitor) throws CorruptException {
    requireType(directory, FileType.DIRECTORY);
    directories.list(directory, cookie, visitor);
  }

  /** The target of a symlink: 1 to 4096 bytes without NUL. */
  public Bytes linkTarget(Inode symlink) throws CorruptException {
    requireType(symlink, FileType.SYMLINK);
    long size = symlink.sizeBytes();
    if (size > 0 && size <= MAX_TARGET_BYTES) {
      Mapping mapping = data.map(symlink, 0);
      if (mapping.device() == Mapping.IMAGE && mapping.lengthBytes() == size) {
        Bytes target = bytes.bytes("link target", mapping.deviceOffset(), (int) size);
        if (target.indexOf((byte) 0, 0) < 0) {
          return target;
        }
      }
    }
    throw bytes.corrupt(
        "inode %d: link target of %d bytes".formatted(symlink.nid(), size),
        symlink.offset(superblock));
  }

  /** All xattrs by full name. */
  public SortedMap<Bytes, Bytes> xattrs(Inode inode) throws CorruptException {
    return xattrs.all(inode);
  }

  /** The value of one xattr, by full name; null if the inode has none of that name. */
  public @Nullable Bytes xattr(Inode inode, Bytes name) throws CorruptException {
    return xattrs.one(inode, name);
  }

  /**
   * The full names of all xattrs in the image: an inode has none but of these. Null if the image
   * does not say, which only those that {@link MetadataImageWriter} and {@link MetadataImageMerge}
   * wrote do.
   */
  public @Nullable Set<Bytes> xattrNames() {
    return xattrNames;
  }

  /**
   * Says where the bytes of a regular file lie from {@code offset} on: the run is as long as the
   * bytes lie in a row, or at least 1024 chunks.
   *
   * @param offset 0 or more and less than the file's size
   * @throws CorruptException if they lie outside of the image, or of a device whose length is known
   */
  public Mapping map(Inode file, long offset) throws CorruptException {
    requireType(file, FileType.REGULAR);
    if (offset < 0 || offset >= file.sizeBytes()) {
      throw new IllegalArgumentException(
          "offset %d of a file of %d bytes".formatted(offset, file.sizeBytes()));
    }
    return data.map(file, offset);
  }

  /**
   * The raw index array of a chunk-based file, taken to have one entry for each {@code chunkBytes},
   * whatever the inode says of its chunk size (RAFS v6 writes one entry per chunk of its own size,
   * and says another size where the chunks lie in a row).
   *
   * @param chunkBytes a power of two
   * @throws CorruptException if the file is not chunk-based, or the array leads outside
   */
  public ChunkIndexes chunkIndexes(Inode file, long chunkBytes) throws CorruptException {
    if (Long.bitCount(chunkBytes) != 1) {
      throw new IllegalArgumentException("chunk size " + chunkBytes);
    }
    if (file.layout() != DataLayout.CHUNK_BASED) {
      throw bytes.corrupt(
          "inode %d: layout %s, expected chunks".formatted(file.nid(), file.layout()),
          file.offset(superblock));
    }
    return ChunkIndexes.of(bytes, superblock, file, Long.numberOfTrailingZeros(chunkBytes));
  }

  /**
   * A read-only view of the image file's bytes, valid until the image is closed.
   *
   * @throws CorruptException if they lie outside of the image
   */
  public ByteBuffer bytes(long offset, int lengthBytes) throws CorruptException {
    return bytes.buffer("bytes", offset, lengthBytes);
  }

  /** Length of the image file. */
  public long lengthBytes() {
    return bytes.length();
  }

  @Override
  public void close() {
    arena.close();
  }

  @Override
  public String toString() {
    return "metadata image " + file;
  }

  private static String ascii(DeviceTable.Slot slot) {
    StringBuilder tag = new StringBuilder(slot.tag());
    for (int i = 0; i < tag.length(); i++) {
      if (tag.charAt(i) > 0x7e || tag.charAt(i) < 0x20) {
        tag.setCharAt(i, '?');
      }
    }
    return tag.toString();
  }

  private void requireType(Inode inode, FileType type) throws CorruptException {
    if (!type.of(inode.mode())) {
      throw bytes.corrupt(
          "inode %d: mode 0%o, expected %s".formatted(inode.nid(), inode.mode(), type),
          inode.offset(superblock));
    }
  }
}
