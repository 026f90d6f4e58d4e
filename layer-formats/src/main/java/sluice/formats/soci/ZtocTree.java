package sluice.formats.soci;

import java.io.IOException;
import sluice.core.ByteRange;
import sluice.core.CorruptException;
import sluice.erofs.FileContent;
import sluice.erofs.LayerTree;
import sluice.formats.entry.EntryTree;
import sluice.formats.entry.LayerEntry;

/** Puts the entries of a zTOC into a tree, and lays the data of its files into a device. */
final class ZtocTree {

  private static final int TAR_BLOCK_BYTES = 512;

  /** The only device of the layer's tree. */
  private static final int DEVICE = 0;

  private final Ztoc ztoc;
  private final FileRuns files;
  private final EntryTree tree;
  private final Headers stated;
  private final String resource;

  /** Where the next entry's headers begin. */
  private long headers;

  /** Is told where the headers of entries lie. */
  @FunctionalInterface
  interface Headers {
    /**
     * Takes the next entry of the tar stream.
     *
     * @param tar where all its headers lie in the tar stream
     */
    void of(ByteRange tar, LayerEntry entry) throws IOException;
  }

  ZtocTree(Ztoc ztoc, LayerTree tree, FileRuns files, Headers stated, String resource) {
    this.ztoc = ztoc;
    this.files = files;
    this.stated = stated;
    this.tree = new EntryTree(tree, this::corrupt);
    this.resource = resource;
  }

  /**
   * Adds all entries.
   *
   * @return where the tar stream's end mark is, if it has one
   * @throws CorruptException if they overlap, lie outside of the tar stream, or cannot be files
   */
  long addAll() throws IOException {
    long tarBytes = ztoc.uncompressedBytes();
    for (int i = 0; i < ztoc.entryCount(); i++) {
      add(ztoc.entry(i), tarBytes);
    }
    return headers;
  }

  private void add(ZtocEntry entry, long tarBytes) throws IOException {
    long from = headers;
    checkPlace(entry, tarBytes);
    if (entry.sparse()) {
      throw wrong(entry, "is a sparse file, and a zTOC does not say where the holes lie");
    }
    LayerEntry added = entry.layerEntry();
    tree.add(added, () -> content(entry));
    stated.of(new ByteRange(from, entry.dataOffset() - from), added);
  }

  /** Entries of a tar lie one behind the other, each behind a header of at least a block. */
  private void checkPlace(ZtocEntry entry, long tarBytes) throws CorruptException {
    long offset = entry.dataOffset();
    long length = entry.dataBytes();
    if (offset % TAR_BLOCK_BYTES != 0
        || offset < headers + TAR_BLOCK_BYTES
        || length < 0
        || offset > tarBytes - length) {
      throw wrong(
          entry,
          "has %d bytes at %d of a tar of %d bytes, and the one before ends at %d"
              .formatted(length, offset, tarBytes, headers));
    }
    headers = offset + length + (-length & (TAR_BLOCK_BYTES - 1));
  }

  private FileContent content(ZtocEntry entry) {
    long length = entry.dataBytes();
    return length == 0
        ? FileContent.empty()
        : FileContent.contiguous(length, DEVICE, files.add(entry.dataOffset(), length));
  }

  private CorruptException wrong(ZtocEntry entry, String problem) {
    return corrupt("entry \"%s\" %s".formatted(entry.name(), problem), entry.dataOffset());
  }

  private CorruptException corrupt(String problem, long tarOffset) {
    return new CorruptException("zTOC: " + problem, resource, tarOffset);
  }
}
