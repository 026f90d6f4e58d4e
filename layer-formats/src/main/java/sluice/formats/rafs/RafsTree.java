package sluice.formats.rafs;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.erofs.Attributes;
import sluice.erofs.Extent;
import sluice.erofs.FileContent;
import sluice.erofs.FileType;
import sluice.erofs.Inode;
import sluice.erofs.LayerTree;
import sluice.erofs.Mapping;
import sluice.erofs.MetadataImage;

/**
 * Copies the tree of a bootstrap, checking that every byte of every file lies in a chunk. For one
 * thread, once.
 *
 * <p>The image may be hostile: a directory that is met twice ends it, and so do more steps than an
 * image of its length has reason for.
 */
final class RafsTree {

  /** {@code PATH_MAX} of Linux: nobody could open a longer path. */
  private static final int MAX_PATH_BYTES = 4096;

  /**
   * What is kept on the heap of a directory, and of a file with several names, besides its path:
   * the path's array and object, its place in a queue, and that of its number in a table.
   */
  private static final int VISITED_BYTES = 200;

  /** What is kept of a child of a directory that is prefetched. */
  private static final int PREFETCHED_BYTES = 100;

  /** What an extent takes of the heap while its file is read, with its place in a list. */
  private static final int EXTENT_BYTES = 40 + 8;

  /** Children that are listed at a time: a directory may have any number of them. */
  private static final int LISTED = 1024;

  private static final Bytes DOT = Bytes.utf8(".");
  private static final Bytes DOT_DOT = Bytes.utf8("..");

  /** A directory still to be read. */
  private record Pending(long nid, Bytes path) {}

  private record Child(long nid, Bytes name) {}

  private final MetadataImage image;
  private final List<BlobChunks> chunks;
  private final long chunkBytes;
  private final PrefetchList prefetch;
  private final String resource;
  private final LayerTree.Growth growth;
  private final LayerTree tree;
  private final Map<Long, Bytes> firstNames = new HashMap<>();
  private final Set<Long> directories = new HashSet<>();
  private final Deque<Pending> pending = new ArrayDeque<>();

  /** Of the file that has most so far: the tree asks for the extents of a file when it has it. */
  private int mostExtents = 1;

  /** Each chunk of a file has an index of eight bytes in the image. */
  private long steps;

  RafsTree(
      MetadataImage image,
      List<BlobChunks> chunks,
      int chunkBytes,
      PrefetchList prefetch,
      LayerTree.Growth growth,
      String resource) {
    this.image = image;
    this.chunks = chunks;
    this.chunkBytes = chunkBytes;
    this.prefetch = prefetch;
    this.resource = resource;
    this.growth = growth;
    this.tree = new LayerTree(resource, growth);
    this.steps = image.lengthBytes() / Long.BYTES;
  }

  /** Copies it; the extents' devices are those of the blob table. */
  LayerTree copy() throws IOException {
    add(image.rootNid(), Bytes.EMPTY);
    if (pending.isEmpty()) {
      throw new CorruptException("the root is not a directory", resource, -1);
    }
    while (!pending.isEmpty()) {
      addChildren(pending.pop());
    }
    return tree;
  }

  private void addChildren(Pending directory) throws IOException {
    Inode inode = image.inode(directory.nid());
    List<Child> children = new ArrayList<>();
    long[] cookie = {0};
    do {
      children.clear();
      image.list(
          inode,
          cookie[0],
          (nextCookie, nid, type, name) -> {
            children.add(new Child(nid, name));
            cookie[0] = nextCookie;
            return children.size() < LISTED;
          });
      for (Child child : children) {
        if (!child.name().equals(DOT) && !child.name().equals(DOT_DOT)) {
          if (prefetch.enter(directory.nid(), child.nid())) {
            growth.grow(PREFETCHED_BYTES);
          }
          add(child.nid(), join(directory.path(), child.name()));
        }
      }
    } while (children.size() == LISTED);
  }

  private Bytes join(Bytes directory, Bytes name) throws CorruptException {
    if (directory.length() == 0) {
      return name;
    }
    int length = directory.length() + 1 + name.length();
    if (length > MAX_PATH_BYTES) {
      throw new CorruptException(
          "path of %d bytes, at most %d".formatted(length, MAX_PATH_BYTES), resource, -1);
    }
    byte[] path = new byte[length];
    directory.asBuffer().get(path, 0, directory.length());
    path[directory.length()] = '/';
    name.asBuffer().get(path, directory.length() + 1, name.length());
    return Bytes.of(path);
  }

  private void add(long nid, Bytes path) throws IOException {
    step("entries");
    Inode inode = image.inode(nid);
    Attributes attributes =
        new Attributes(
            inode.mode(),
            inode.uid(),
            inode.gid(),
            inode.mtimeSeconds(),
            inode.mtimeNanos(),
            image.xattrs(inode));
    if (inode.type() == FileType.DIRECTORY) {
      if (!directories.add(nid)) {
        throw new CorruptException(
            "directory \"%s\" is there twice (nid %d)".formatted(path, nid), resource, -1);
      }
      growth.grow(VISITED_BYTES + path.length());
      tree.directory(path, attributes);
      pending.push(new Pending(nid, path));
      return;
    }
    Bytes first = inode.nlink() > 1 ? firstNames.putIfAbsent(nid, path) : null;
    if (inode.nlink() > 1 && first == null) {
      growth.grow(VISITED_BYTES + path.length());
    }
    if (first != null) {
      tree.hardLink(path, first, attributes);
      return;
    }
    switch (inode.type()) {
      case REGULAR -> tree.file(path, attributes, content(inode, path));
      case SYMLINK -> tree.symlink(path, attributes, image.linkTarget(inode));
      case CHARACTER, BLOCK, FIFO, SOCKET -> tree.special(path, attributes, inode.rdev());
      case DIRECTORY -> throw new AssertionError("handled above");
    }
  }

  private FileContent content(Inode file, Bytes path) throws IOException {
    List<Extent> extents = new ArrayList<>();
    long offset = 0;
    while (offset < file.sizeBytes()) {
      step("chunks");
      Mapping mapping = image.map(file, offset);
      if (mapping.device() == Mapping.IMAGE) {
        throw new CorruptException(
            "file \"%s\": its data lies in the bootstrap".formatted(path), resource, -1);
      }
      if (mapping.device() != Mapping.ZEROS) {
        Extent extent =
            new Extent(offset, mapping.lengthBytes(), mapping.device(), mapping.deviceOffset());
        requireChunks(extent, path);
        if (extents.size() == mostExtents) {
          growth.grow(EXTENT_BYTES);
          mostExtents++;
        }
        extents.add(extent);
        prefetch.add(file.nid(), extent);
      }
      offset += mapping.lengthBytes();
    }
    return new FileContent(file.sizeBytes(), extents);
  }

  /** A file's chunks are all of one length, but its last. */
  private void requireChunks(Extent extent, Bytes path) throws CorruptException {
    BlobChunks blob = chunks.get(extent.device());
    for (long at = 0; at < extent.lengthBytes(); at += chunkBytes) {
      step("chunks");
      long length = Math.min(chunkBytes, extent.lengthBytes() - at);
      long deviceOffset = extent.deviceOffset() + at;
      long found = blob.lengthAt(deviceOffset).orElse(0);
      if (found != length) {
        throw new CorruptException(
            "file \"%s\": %d bytes at %d of blob %d, where the chunk table has %s"
                .formatted(
                    path,
                    length,
                    deviceOffset,
                    extent.device(),
                    found == 0 ? "no chunk, so no digest covers them" : found + " bytes"),
            resource,
            -1);
      }
    }
  }

  private void step(String what) throws CorruptException {
    if (--steps < 0) {
      throw new CorruptException(
          "more %s than an image of %d bytes can have".formatted(what, image.lengthBytes()),
          resource,
          -1);
    }
  }
}
