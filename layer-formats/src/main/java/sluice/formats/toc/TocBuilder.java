package sluice.formats.toc;

import java.io.IOException;
import java.time.DateTimeException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sluice.core.ByteRange;
import sluice.core.Bytes;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.erofs.DeviceSlot;
import sluice.erofs.FileContent;
import sluice.erofs.LayerTree;
import sluice.erofs.TreePath;
import sluice.formats.entry.EntryLimits;
import sluice.formats.entry.EntryTree;
import sluice.formats.entry.EntryType;
import sluice.formats.entry.LayerEntry;
import sluice.formats.toc.ChunkLayout.MisplacedException;

/**
 * Makes a tree and chunks of the entries of a TOC. For one thread.
 *
 * <p>Files lie in the device one after another, in the order of the TOC and each at a block of its
 * own; runs of zeros that need no fetch are covered by no chunk. A name that comes twice, unless it
 * is a directory's, has the TOC refused: no writer leaves both, and we would have to guess.
 */
final class TocBuilder implements TocParser.Sink {

  private static final String ZEROS = "zeros";

  private final String resource;
  private final LayerTree.Growth growth;
  private final LayerTree tree;
  private final EntryTree entries;
  private final ChunkLayout layout;
  private final SeenPaths seen = new SeenPaths();

  /** The file whose chunks come now, and how far they have come; null between files. */
  private @Nullable TocEntry file;

  private long filePosition;
  private boolean fileHasData;

  private long deviceEnd;
  private long prefetchEnd;

  /**
   * @param growth is asked before tree and chunks grow
   */
  TocBuilder(ChunkEncoding encoding, long payloadEnd, LayerTree.Growth growth, String resource) {
    this.resource = resource;
    this.growth = growth;
    this.tree = new LayerTree(resource, growth);
    this.entries = new EntryTree(tree, this::corrupt);
    this.layout = new ChunkLayout(encoding, payloadEnd);
  }

  @Override
  public void entry(TocEntry entry) throws IOException {
    if (entry.isChunk()) {
      chunk(entry);
      return;
    }
    endFile();
    if (isHidden(entry)) {
      hidden(entry);
    } else if (entry.isFile() && entry.size != 0) {
      beginFile(entry);
    } else {
      add(entry, FileContent.empty());
    }
  }

  /** Ends the last file; then the tree and the chunks are complete. */
  void finish() throws IOException {
    endFile();
    seen.clear();
    try {
      layout.finish();
    } catch (MisplacedException e) {
      throw corrupt("the end " + e.problem(), -1);
    }
  }

  LayerTree tree() {
    return tree;
  }

  TocChunks chunks() {
    return layout.chunks();
  }

  long deviceBytes() {
    return deviceEnd;
  }

  /** What of the device the layer's writer wants to be fetched first. */
  List<ByteRange> prefetch() {
    return prefetchEnd == 0 ? List.of() : List.of(new ByteRange(0, prefetchEnd));
  }

  /** In podman's dialect nothing is hidden: such a file is the image's own. */
  private static boolean isHidden(TocEntry entry) {
    return entry.isFile()
        && entry.endOffset == 0
        && entry.size > 0
        && TreePath.clean(entry.name).filter(HiddenNames.ALL::contains).isPresent();
  }

  private void hidden(TocEntry entry) throws CorruptException {
    try {
      layout.pass(entry.offset, entry.innerOffset, entry.size);
    } catch (MisplacedException e) {
      throw wrong(entry, e.problem());
    }
    if (TreePath.clean(entry.name).equals(Optional.of(HiddenNames.PREFETCH_LANDMARK))) {
      prefetchEnd = deviceEnd;
    }
  }

  private void beginFile(TocEntry entry) throws IOException {
    if (entry.size < 0 || entry.size > EntryLimits.MAX_FILE_BYTES) {
      throw wrong(
          entry, "has %d bytes, at most %d".formatted(entry.size, EntryLimits.MAX_FILE_BYTES));
    }
    if (deviceEnd > TocLimits.MAX_DEVICE_BYTES - entry.size) {
      throw wrong(
          entry,
          "ends at byte %d of the device, at most %d"
              .formatted(deviceEnd + entry.size, TocLimits.MAX_DEVICE_BYTES));
    }
    file = entry;
    filePosition = 0;
    fileHasData = false;
    payload(entry, entry);
  }

  private void chunk(TocEntry entry) throws IOException {
    TocEntry of = file;
    if (of == null || (entry.name.length() > 0 && !entry.name.equals(of.name))) {
      throw wrong(entry, "is a chunk of " + (of == null ? "no file" : "\"" + of.name + '"'));
    }
    payload(of, entry);
  }

  /** Takes the next piece of a file; the first one stands in the file's own entry. */
  private void payload(TocEntry of, TocEntry piece) throws IOException {
    long length = piece.chunkSize == 0 ? of.size - filePosition : piece.chunkSize;
    if (piece.chunkOffset != filePosition || length <= 0 || length > of.size - filePosition) {
      throw wrong(
          of,
          "has %d bytes, of which %d from byte %d on come after %d"
              .formatted(of.size, length, piece.chunkOffset, filePosition));
    }
    try {
      if (piece.chunkType.equals(ZEROS)) {
        layout.pass(piece.offset, piece.innerOffset, length);
      } else if (piece.chunkType.isEmpty()) {
        Digest digest = digest(of, piece, length);
        growth.grow(TocChunks.PAYLOAD_BYTES);
        layout.place(piece.offset, piece.innerOffset, length, deviceEnd + filePosition, digest);
        fileHasData = true;
      } else {
        throw wrong(of, "has a chunk of type \"%s\"".formatted(piece.chunkType));
      }
    } catch (MisplacedException e) {
      throw wrong(of, "from byte %d on %s".formatted(filePosition, e.problem()));
    }
    filePosition += length;
  }

  private Digest digest(TocEntry of, TocEntry piece, long length) throws CorruptException {
    String text = piece.chunkDigest;
    if (text == null && length == of.size) {
      text = of.digest;
    }
    if (text == null) {
      throw wrong(of, "has no digest of the bytes from %d on".formatted(filePosition));
    }
    try {
      Digest digest = Digest.parse(text);
      if (digest.algorithm() == Digest.Algorithm.SHA256) {
        return digest;
      }
    } catch (IllegalArgumentException e) {
      throw wrong(of, "has a bad " + e.getMessage());
    }
    throw wrong(of, "has the digest " + text + ", only SHA-256 is known here");
  }

  private void endFile() throws IOException {
    TocEntry ended = file;
    if (ended == null) {
      return;
    }
    file = null;
    if (filePosition != ended.size) {
      throw wrong(ended, "has %d bytes, its chunks %d".formatted(ended.size, filePosition));
    }
    if (ended.endOffset != 0) {
      try {
        layout.endAt(ended.endOffset);
      } catch (MisplacedException e) {
        throw wrong(ended, e.problem());
      }
    }
    if (!fileHasData) {
      add(ended, new FileContent(ended.size, List.of()));
      return;
    }
    add(ended, FileContent.contiguous(ended.size, 0, deviceEnd));
    deviceEnd += ended.size + (-ended.size & (DeviceSlot.BLOCK_BYTES - 1));
  }

  private void add(TocEntry entry, FileContent content) throws IOException {
    EntryType type = type(entry.type);
    Bytes path = TreePath.clean(entry.name).orElse(Bytes.EMPTY);
    if (!seen.add(path, type == EntryType.Known.DIRECTORY)) {
      throw wrong(entry, "is there twice");
    }
    TocTime time = time(entry);
    entries.add(
        new LayerEntry(
            entry.position,
            type,
            entry.name,
            entry.linkName,
            entry.size,
            entry.mode,
            entry.uid,
            entry.gid,
            time.seconds(),
            time.nanos(),
            entry.devMajor,
            entry.devMinor,
            entry.xattrs),
        () -> content);
  }

  private static EntryType type(String type) {
    return switch (type) {
      case TocEntry.FILE -> EntryType.Known.FILE;
      case "hardlink" -> EntryType.Known.HARD_LINK;
      case "symlink" -> EntryType.Known.SYMLINK;
      case "char" -> EntryType.Known.CHARACTER;
      case "block" -> EntryType.Known.BLOCK;
      case "dir" -> EntryType.Known.DIRECTORY;
      case "fifo" -> EntryType.Known.FIFO;
      default -> new EntryType.Unknown('"' + type + '"');
    };
  }

  private TocTime time(TocEntry entry) throws CorruptException {
    try {
      return TocTime.parse(entry.modtime);
    } catch (DateTimeException e) {
      throw wrong(entry, "has a bad modtime: " + e.getMessage());
    }
  }

  private CorruptException wrong(TocEntry entry, String problem) {
    return corrupt("entry \"%s\" %s".formatted(entry.name, problem), entry.position);
  }

  private CorruptException corrupt(String problem, long offset) {
    return new CorruptException("TOC: " + problem, resource, offset);
  }
}
