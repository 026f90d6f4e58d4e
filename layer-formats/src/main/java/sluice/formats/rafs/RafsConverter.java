package sluice.formats.rafs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.erofs.FileType;
import sluice.erofs.Inode;
import sluice.erofs.Mapping;
import sluice.erofs.MetadataImage;

/**
 * Writes a whole image as RAFS v6: one blob that holds each chunk once, and a bootstrap layer. The
 * same image and options give the same bytes. What it writes is what nydus 2.4 writes, so its tools
 * read it; times keep their nanoseconds, which nydus itself drops, but those before 1970 become 0
 * as there. For one thread, once.
 */
public final class RafsConverter {

  /** Gives the bytes of devices. */
  @FunctionalInterface
  public interface DeviceReader {

    /** Fills {@code into} from {@code offset} of the device in slot {@code device} on. */
    void read(int device, long offset, ByteBuffer into) throws IOException, InterruptedException;
  }

  /**
   * How to write.
   *
   * @param digester of chunks, SHA-256 or BLAKE3
   * @param chunkBytes length of chunks, a power of two from 4 KiB to 16 MiB
   * @param zstdLevel 1 to 22
   */
  public record Options(Digest.Algorithm digester, int chunkBytes, int zstdLevel) {
    private static final int MIN_ZSTD_LEVEL = 1;
    private static final int MAX_ZSTD_LEVEL = 22;

    /** SHA-256, which the JDK computes fastest, chunks of 1 MiB as nydus has, zstd's default. */
    public static final Options DEFAULT = new Options(Digest.Algorithm.SHA256, 1 << 20, 3);

    public Options {
      if (digester == Digest.Algorithm.SHA512
          || Integer.bitCount(chunkBytes) != 1
          || chunkBytes < Layout.BLOCK_BYTES
          || chunkBytes > RafsSuperblock.MAX_CHUNK_BYTES
          || zstdLevel < MIN_ZSTD_LEVEL
          || zstdLevel > MAX_ZSTD_LEVEL) {
        throw new IllegalArgumentException(
            "RAFS: digests by %s, chunks of %d bytes, zstd level %d"
                .formatted(digester, chunkBytes, zstdLevel));
      }
    }
  }

  /**
   * What was written, ready for a manifest: layers are the blob, if there is one, and the
   * bootstrap.
   *
   * @param blob empty if no file of the image has content; its diff-id is its digest
   * @param bootstrapDiffId digest of the bootstrap layer's tar
   */
  public record Converted(
      Optional<Descriptor> blob, Descriptor bootstrap, Digest bootstrapDiffId) {}

  private final MetadataImage image;
  private final DeviceReader reader;
  private final Options options;
  private final LongConsumer progress;
  private final List<RafsNode> nodes = new ArrayList<>();
  private final Map<Long, RafsNode> byNid = new HashMap<>();

  private RafsConverter(
      MetadataImage image, DeviceReader reader, Options options, LongConsumer progress) {
    this.image = image;
    this.reader = reader;
    this.options = options;
    this.progress = progress;
  }

  /**
   * Converts the tree below a directory of a merged metadata image.
   *
   * @param rootNid that directory
   * @param blob gets the blob; there is no such file if the result has none
   * @param bootstrapLayer gets the bootstrap layer, a tar+gzip
   * @param progress is told how many bytes of files were added, again and again
   * @throws IOException if the image cannot be read, or has more than the format allows
   */
  public static Converted convert(
      MetadataImage image,
      long rootNid,
      DeviceReader reader,
      Path blob,
      Path bootstrapLayer,
      Options options,
      LongConsumer progress)
      throws IOException, InterruptedException {
    return new RafsConverter(image, reader, options, progress)
        .convert(rootNid, blob, bootstrapLayer);
  }

  private Converted convert(long rootNid, Path blobFile, Path layerFile)
      throws IOException, InterruptedException {
    walk(rootNid);
    Optional<BlobWriter.Blob> blob = Optional.empty();
    List<ChunkEntry> chunks;
    try (BlobWriter writer = new BlobWriter(blobFile, options)) {
      addFiles(writer);
      chunks = writer.chunks();
      if (!chunks.isEmpty()) {
        blob = Optional.of(writer.finish());
      }
    }
    if (blob.isEmpty()) {
      Files.delete(blobFile);
    }
    Path directory = Files.createTempDirectory(layerFile.toAbsolutePath().getParent(), "bootstrap");
    Path bootstrap = directory.resolve("image.boot");
    try {
      new BootstrapWriter(nodes, chunks, blob.map(BlobWriter.Blob::entry), options)
          .write(bootstrap);
      BootstrapPacking.Packed packed = BootstrapPacking.pack(bootstrap, blob, layerFile);
      return new Converted(
          blob.map(RafsConverter::blobDescriptor), packed.layer(), packed.diffId());
    } finally {
      Files.deleteIfExists(bootstrap);
      Files.delete(directory);
    }
  }

  /** Collects all inodes, directories before what is in them. */
  private void walk(long rootNid) throws IOException {
    nodes.add(node(rootNid));
    for (int next = 0; next < nodes.size(); next++) {
      RafsNode directory = nodes.get(next);
      if (!directory.source.isDirectory()) {
        continue;
      }
      List<Bytes> names = new ArrayList<>();
      List<Long> nids = new ArrayList<>();
      image.list(
          directory.source,
          0,
          (cookie, nid, type, name) -> {
            names.add(name);
            nids.add(nid);
            return true;
          });
      for (int i = 0; i < names.size(); i++) {
        if (isDots(names.get(i))) {
          continue;
        }
        RafsNode child = byNid.get(nids.get(i));
        if (child == null) {
          child = node(nids.get(i));
          child.parent = Optional.of(directory);
          nodes.add(child);
        } else if (child.source.isDirectory()) {
          throw new IOException("%s: a directory has two names".formatted(image));
        }
        directory.children.add(new RafsNode.Child(names.get(i), child));
      }
    }
  }

  private static boolean isDots(Bytes name) {
    return name.at(0) == '.' && (name.length() == 1 || (name.length() == 2 && name.at(1) == '.'));
  }

  private RafsNode node(long nid) throws IOException {
    Inode inode = image.inode(nid);
    RafsNode node = new RafsNode(inode, RafsInode.xattrs(image.xattrs(inode)));
    if (inode.type() == FileType.SYMLINK) {
      node.data = image.linkTarget(inode).toArray();
    }
    byNid.put(nid, node);
    return node;
  }

  private void addFiles(BlobWriter writer) throws IOException, InterruptedException {
    byte[] chunk = new byte[options.chunkBytes()];
    long done = 0;
    for (RafsNode node : nodes) {
      if (node.source.type() != FileType.REGULAR) {
        continue;
      }
      long size = node.source.sizeBytes();
      node.chunks = new int[Math.toIntExact(Math.ceilDiv(size, options.chunkBytes()))];
      for (int i = 0; i < node.chunks.length; i++) {
        long offset = (long) i * options.chunkBytes();
        int length = (int) Math.min(options.chunkBytes(), size - offset);
        read(node.source, offset, ByteBuffer.wrap(chunk, 0, length));
        node.chunks[i] = writer.add(chunk, length, offset);
        done += length;
        progress.accept(done);
      }
    }
  }

  private void read(Inode file, long offset, ByteBuffer into)
      throws IOException, InterruptedException {
    int end = into.limit();
    long at = offset;
    while (into.position() < end) {
      Mapping mapping = image.map(file, at);
      int length = (int) Math.min(mapping.lengthBytes(), end - into.position());
      into.limit(into.position() + length);
      switch (mapping.device()) {
        case Mapping.ZEROS -> into.put(ByteBuffer.allocate(length));
        case Mapping.IMAGE -> into.put(image.bytes(mapping.deviceOffset(), length));
        default -> {
          reader.read(mapping.device(), mapping.deviceOffset(), into);
          into.position(into.limit());
        }
      }
      at += length;
      into.limit(end);
    }
  }

  private static Descriptor blobDescriptor(BlobWriter.Blob blob) {
    return new Descriptor(
        RafsFormat.BLOB_MEDIA_TYPE,
        blob.entry().blob(),
        blob.lengthBytes(),
        Map.of(RafsFormat.BLOB_ANNOTATION, "true"),
        List.of(),
        null,
        null,
        null);
  }
}
