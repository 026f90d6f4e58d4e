package sluice.formats.rafs;

import static sluice.formats.rafs.Layout.LE_INT;
import static sluice.formats.rafs.Layout.LE_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import sluice.erofs.FileType;

/**
 * Writes a bootstrap of one blob or none. The plan comes first: every inode and block gets its
 * place; then all is written in one pass, and the same tree gives the same bytes.
 *
 * <pre>
 * 0x0400 superblock, 0x480 extension, 0x580 device slot
 * 0x1000 blob table
 * 0x2000 where nid 0 would be; the root is nid 128, at 0x3000
 * 0x3000 inodes, each with what is inline behind it; then blocks of directories and links
 * then the chunk table, on a block of its own
 * </pre>
 */
final class BootstrapWriter {
  private static final int DEVICE_SLOT_BYTES = 128;
  private static final int DEVICE_SLOT_AT = RafsSuperblock.DEVICE_SLOT_OFFSET * DEVICE_SLOT_BYTES;
  private static final long BLOB_TABLE_AT = 0x1000;
  private static final long META_AT = 0x2000;
  private static final long ROOT_AT = META_AT + Layout.BLOCK_BYTES;

  /** Inodes on 64 bytes never straddle a block. */
  private static final int INODE_ALIGNMENT = 64;

  private static final int INDEX_BYTES = 8;

  /** {@code EROFS_CHUNK_FORMAT_INDEXES}. */
  private static final int CHUNK_FORMAT_INDEXES = 0x20;

  /** Where a blob would begin if all were one disk, as nydus lays it out: multiples of 512 KiB. */
  private static final long FLAT_ALIGNMENT = 0x80000;

  private final List<RafsNode> nodes;
  private final List<ChunkEntry> chunks;
  private final Optional<BlobEntry> blob;
  private final RafsConverter.Options options;
  private long end;
  private long chunkTableAt;

  /**
   * @param nodes the root first
   */
  BootstrapWriter(
      List<RafsNode> nodes,
      List<ChunkEntry> chunks,
      Optional<BlobEntry> blob,
      RafsConverter.Options options) {
    this.nodes = nodes;
    this.chunks = chunks;
    this.blob = blob;
    this.options = options;
  }

  /** Writes the file, which must not exist. */
  void write(Path file) throws IOException {
    plan();
    try (Arena arena = Arena.ofConfined();
        FileChannel channel =
            FileChannel.open(
                file,
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
      MemorySegment image = channel.map(FileChannel.MapMode.READ_WRITE, 0, end, arena);
      writeTables(image);
      for (int i = 0; i < nodes.size(); i++) {
        write(image, nodes.get(i), i + 1L);
      }
      for (int i = 0; i < chunks.size(); i++) {
        chunks.get(i).write(image, chunkTableAt + (long) i * ChunkEntry.BYTES);
      }
    }
  }

  private void plan() {
    long at = ROOT_AT;
    for (RafsNode node : nodes) {
      if (node.source.isDirectory()) {
        node.data = new byte[RafsInode.directoryBytes(node)];
      }
      at = place(node, Layout.roundUp(at, INODE_ALIGNMENT));
    }
    at = Layout.roundUp(at, Layout.BLOCK_BYTES);
    for (RafsNode node : nodes) {
      if (node.outerBytes() > 0) {
        node.dataBlock = at / Layout.BLOCK_BYTES;
        at += Layout.roundUp(node.outerBytes(), Layout.BLOCK_BYTES);
      }
    }
    chunkTableAt = at;
    end = Layout.roundUp(at + (long) chunks.size() * ChunkEntry.BYTES, Layout.BLOCK_BYTES);
    for (RafsNode node : nodes) {
      if (node.source.isDirectory()) {
        node.data = RafsInode.directory(node, META_AT);
      }
    }
  }

  /** Gives the inode its place at {@code from} or in the next block, and says where it ends. */
  private static long place(RafsNode node, long from) {
    long at = from;
    if (node.source.type() != FileType.REGULAR) {
      int tail = node.data.length % Layout.BLOCK_BYTES;
      int together = node.headerBytes() + tail;
      if (tail > 0 && together <= Layout.BLOCK_BYTES) {
        if (at % Layout.BLOCK_BYTES + together > Layout.BLOCK_BYTES) {
          at = Layout.roundUp(at, Layout.BLOCK_BYTES);
        }
        node.inlineBytes = tail;
      }
    }
    node.offset = at;
    return node.source.type() == FileType.REGULAR
        ? indexesAt(node) + (long) node.chunks.length * INDEX_BYTES
        : at + node.headerBytes() + node.inlineBytes;
  }

  private static long indexesAt(RafsNode node) {
    return Layout.roundUp(node.offset + node.headerBytes(), INDEX_BYTES);
  }

  private void writeTables(MemorySegment image) {
    long blocks = blob.map(BlobEntry::deviceBytes).orElse(0L) / Layout.BLOCK_BYTES;
    long names = nodes.getFirst().children.size() + 1L;
    for (RafsNode node : nodes.subList(1, nodes.size())) {
      names += node.children.size();
    }
    long tables = blob.stream().count() * BlobEntry.BYTES;
    RafsSuperblock superblock =
        new RafsSuperblock(
            (int) blob.stream().count(),
            flags(),
            options.digester(),
            options.chunkBytes(),
            BLOB_TABLE_AT,
            tables,
            chunkTableAt,
            (long) chunks.size() * ChunkEntry.BYTES,
            0,
            0);
    superblock.writeExtension(image);
    superblock.writeBase(image, RafsInode.nid(nodes.getFirst(), META_AT), names, blocks, META_AT);
    blob.ifPresent(entry -> {
      entry.write(image, BLOB_TABLE_AT);
      byte[] tag = entry.blob().hex().getBytes(StandardCharsets.US_ASCII);
      MemorySegment.copy(tag, 0, image, ValueLayout.JAVA_BYTE, DEVICE_SLOT_AT, tag.length);
      long flat = Layout.roundUp(end, FLAT_ALIGNMENT) / Layout.BLOCK_BYTES;
      image.set(LE_INT, DEVICE_SLOT_AT + 64, (int) blocks);
      image.set(LE_INT, DEVICE_SLOT_AT + 68, (int) flat);
    });
  }

  private long flags() {
    long hash =
        switch (options.digester()) {
          case BLAKE3 -> RafsSuperblock.FLAG_HASH_BLAKE3;
          case SHA256, SHA512 -> RafsSuperblock.FLAG_HASH_SHA256;
        };
    boolean xattrs = nodes.stream().anyMatch(node -> node.xattrs.length() > 0);
    return RafsSuperblock.FLAG_COMPRESSION_ZSTD
        | hash
        | RafsSuperblock.FLAG_EXPLICIT_UID_GID
        | (xattrs ? RafsSuperblock.FLAG_HAS_XATTR : 0)
        | RafsSuperblock.FLAG_INLINED_CHUNK_DIGEST
        | RafsSuperblock.FLAG_ENCRYPTION_NONE;
  }

  private void write(MemorySegment image, RafsNode node, long number) {
    int chunkBits = Integer.numberOfTrailingZeros(options.chunkBytes());
    RafsInode.write(
        image, node, number, CHUNK_FORMAT_INDEXES | (chunkBits - RafsSuperblock.BLOCK_BITS));
    int outer = node.outerBytes();
    MemorySegment.copy(
        node.data, 0, image, ValueLayout.JAVA_BYTE, node.dataBlock * Layout.BLOCK_BYTES, outer);
    MemorySegment.copy(
        node.data,
        outer,
        image,
        ValueLayout.JAVA_BYTE,
        node.offset + node.headerBytes(),
        node.inlineBytes);
    long at = indexesAt(node);
    for (int index : node.chunks) {
      ChunkEntry chunk = chunks.get(index);
      image.set(LE_SHORT, at, (short) chunk.index());
      image.set(LE_SHORT, at + 2, (short) ((chunk.index() >>> 16 << 8) | (chunk.blobIndex() + 1)));
      image.set(LE_INT, at + 4, (int) (chunk.uncompressedOffset() / Layout.BLOCK_BYTES));
      at += INDEX_BYTES;
    }
  }
}
