package sluice.formats.soci;

import java.io.IOException;
import sluice.core.CorruptException;
import sluice.erofs.FileContent;
import sluice.erofs.LayerTree;
import sluice.formats.entry.EntryTree;

/** Puts the entries of a zTOC into a tree, and lays the data of its files into a device. */
final class ZtocTree {

  private static final int TAR_BLOCK_BYTES = 512;

  /** The only device of the layer's tree. */
  private static final int DEVICE = 0;

  private final Ztoc ztoc;
  private final FileRuns files;
  private final EntryTree tree;
  private final String resource;

  /** Where the next entry's headers begin. */
  private long headers;

  ZtocTree(Ztoc ztoc, LayerTree tree, FileRuns files, String resource) {
    this.ztoc = ztoc;
    this.files = files;
    this.tree = new EntryTree(tree, this::corrupt);
    this.resource = resource;
  }

  /**
   * Adds all entries.
   *
   * @throws CorruptException if they overlap, lie outside of the tar stream, or cannot be files
   */
  void addAll() throws IOException {
    long tarBytes = ztoc.uncompressedBytes();
    for (int i = 0; i < ztoc.entryCount(); i++) {
      add(ztoc.entry(i), tarBytes);
    }
  }

  private void add(ZtocEntry entry, long tarBytes) throws IOException {
    checkPlace(entry, tarBytes);
    if (entry.sparse()) {
      throw wrong(entry, "is a sparse file, and a zTOC does not say where the holes lie");
    }
    tree.add(entry.layerEntry(), () -> content(entry));
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
