package sluice.formats.soci;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import sluice.core.Bytes;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.formats.entry.EntryLimits;

/**
 * A zTOC: what a layer's tar stream holds, and the spans of its blob. Entries are read from the
 * buffer as they are asked for. For one thread.
 */
public final class Ztoc {

  /**
   * Has the checkpoints of 60 GiB in spans of 4 MiB, each with a window of 32 KiB. All of it is
   * fetched before anything of the layer can be shown, so a larger one would help nobody.
   */
  static final long MAX_BYTES = 512L << 20;

  /** The longest time that RFC 3339 writes, with room. */
  private static final int MAX_TIME_BYTES = 64;

  private final FlatBuffer buffer;
  private final FlatTable root;
  private final FlatVector entries;
  private final FlatTable compression;
  private final List<Digest> spanDigests;
  private final MemorySegment checkpoints;

  private Ztoc(
      FlatBuffer buffer,
      FlatTable root,
      FlatVector entries,
      FlatTable compression,
      List<Digest> spanDigests,
      MemorySegment checkpoints) {
    this.buffer = buffer;
    this.root = root;
    this.entries = entries;
    this.compression = compression;
    this.spanDigests = spanDigests;
    this.checkpoints = checkpoints;
  }

  /**
   * Reads a zTOC, of which the entries are left to {@link #entry}.
   *
   * @param bytes all of it; must stay as long as the result is used
   * @param resource names it in errors
   * @throws CorruptException if it is none, or exceeds the limits
   */
  public static Ztoc open(MemorySegment bytes, String resource) throws CorruptException {
    FlatBuffer buffer = buffer(bytes, resource);
    FlatTable root = buffer.root();
    FlatVector entries = entries(root);
    if (entries.length() > EntryLimits.MAX_ENTRIES) {
      throw buffer.corrupt(
          "%d entries, at most %d".formatted(entries.length(), EntryLimits.MAX_ENTRIES),
          entries.at());
    }
    FlatTable compression = root.tableAt(ZtocSchema.COMPRESSION_INFO);
    FlatVector checkpoints = compression.vectorAt(ZtocSchema.CHECKPOINTS, 1);
    return new Ztoc(
        buffer,
        root,
        entries,
        compression,
        digests(buffer, compression),
        bytes.asSlice(checkpoints.at(), checkpoints.length()));
  }

  private static FlatBuffer buffer(MemorySegment bytes, String resource) throws CorruptException {
    if (bytes.byteSize() > MAX_BYTES) {
      throw new CorruptException(
          "zTOC: %d bytes, at most %d".formatted(bytes.byteSize(), MAX_BYTES), resource, -1);
    }
    return new FlatBuffer(bytes.asByteBuffer(), "zTOC", resource);
  }

  private static FlatVector entries(FlatTable root) throws CorruptException {
    return root.tableAt(ZtocSchema.TOC).vectorAt(ZtocSchema.METADATA, Integer.BYTES);
  }

  private static List<Digest> digests(FlatBuffer buffer, FlatTable compression)
      throws CorruptException {
    FlatVector texts = compression.vectorAt(ZtocSchema.SPAN_DIGESTS, Integer.BYTES);
    int lastSpan = compression.intAt(ZtocSchema.MAX_SPAN_ID, 0);
    if (texts.length() > Spans.MAX_SPANS || texts.length() - 1 != lastSpan) {
      throw buffer.corrupt(
          "%d span digests, at most %d, and a last span %d"
              .formatted(texts.length(), Spans.MAX_SPANS, lastSpan),
          texts.at());
    }
    List<Digest> digests = new ArrayList<>();
    for (int span = 0; span < texts.length(); span++) {
      try {
        digests.add(Digest.parse(texts.text(span).toString()));
      } catch (IllegalArgumentException e) {
        throw caused(buffer.corrupt("span %d: %s".formatted(span, e.getMessage()), texts.at()), e);
      }
    }
    return digests;
  }

  public String version() throws CorruptException {
    return root.textAt(ZtocSchema.VERSION_FIELD).toString();
  }

  /** The tool that made it, and its version. */
  public String buildTool() throws CorruptException {
    return root.textAt(ZtocSchema.BUILD_TOOL).toString();
  }

  /** Length of the layer's blob. */
  public long compressedBytes() throws CorruptException {
    return root.longAt(ZtocSchema.COMPRESSED_SIZE, 0);
  }

  /** Length of the layer's tar stream, up to where the tool stopped reading it. */
  public long uncompressedBytes() throws CorruptException {
    return root.longAt(ZtocSchema.UNCOMPRESSED_SIZE, 0);
  }

  public int entryCount() {
    return entries.length();
  }

  /**
   * An entry, in the order of the zTOC.
   *
   * @throws CorruptException if a field has no value that such a field can have
   */
  public ZtocEntry entry(int index) throws CorruptException {
    FlatTable table = entries.table(index);
    Instant mtime = time(table);
    return new ZtocEntry(
        ZtocSchema.type(table.textAt(ZtocSchema.TYPE).toString()),
        table.longAt(ZtocSchema.OFFSET, 0),
        table.longAt(ZtocSchema.SIZE, 0),
        table.textAt(ZtocSchema.NAME),
        table.textAt(ZtocSchema.LINK_NAME),
        table.longAt(ZtocSchema.MODE, 0),
        Integer.toUnsignedLong(table.intAt(ZtocSchema.UID, 0)),
        Integer.toUnsignedLong(table.intAt(ZtocSchema.GID, 0)),
        table.textAt(ZtocSchema.USER_NAME),
        table.textAt(ZtocSchema.GROUP_NAME),
        mtime.getEpochSecond(),
        mtime.getNano(),
        table.longAt(ZtocSchema.DEV_MAJOR, 0),
        table.longAt(ZtocSchema.DEV_MINOR, 0),
        records(table));
  }

  private Instant time(FlatTable entry) throws CorruptException {
    Bytes text = entry.textAt(ZtocSchema.MOD_TIME);
    try {
      if (text.length() <= MAX_TIME_BYTES) {
        return OffsetDateTime.parse(text.toString()).toInstant();
      }
    } catch (DateTimeException e) {
      // Go writes none where the year has not four digits: the zTOC cannot say it.
      throw caused(wrong(entry, "a time \"%s\"".formatted(text)), e);
    }
    throw wrong(entry, "a time of %d bytes".formatted(text.length()));
  }

  private SortedMap<String, Bytes> records(FlatTable entry) throws CorruptException {
    FlatVector xattrs = entry.vectorAt(ZtocSchema.XATTRS, Integer.BYTES);
    SortedMap<String, Bytes> records = new TreeMap<>();
    long bytes = 0;
    for (int i = 0; i < xattrs.length(); i++) {
      FlatTable xattr = xattrs.table(i);
      byte[] key = xattr.textAt(ZtocSchema.KEY).toArray();
      Bytes value = xattr.textAt(ZtocSchema.VALUE);
      bytes += EntryLimits.XATTR_RECORD_BYTES + key.length + value.length();
      if (bytes > EntryLimits.MAX_XATTRS_BYTES) {
        throw wrong(
            entry,
            "records of %d bytes, at most %d".formatted(bytes, EntryLimits.MAX_XATTRS_BYTES));
      }
      records.put(new String(key, StandardCharsets.ISO_8859_1), value);
    }
    return records;
  }

  /** The digests of the spans, in their order. */
  public List<Digest> spanDigests() {
    return List.copyOf(spanDigests);
  }

  /**
   * What a decoder needs to begin at a span: one of {@code Spans} reads it. A part of the buffer.
   */
  public MemorySegment checkpoints() {
    return checkpoints;
  }

  /** The spans, as many as there are digests. */
  Spans spans() throws CorruptException {
    byte algorithm = compression.byteAt(ZtocSchema.ALGORITHM, ZtocSchema.GZIP);
    long tarBytes = uncompressedBytes();
    if (tarBytes < 0) {
      throw buffer.corrupt("a tar of %d bytes".formatted(tarBytes), root.at());
    }
    StreamCompression kind =
        switch (algorithm) {
          case ZtocSchema.GZIP -> StreamCompression.GZIP;
          case ZtocSchema.UNCOMPRESSED -> StreamCompression.NONE;
          case ZtocSchema.ZSTD_FRAMES -> StreamCompression.ZSTD;
          default ->
              throw buffer.corrupt("compression %d is not known".formatted(algorithm), root.at());
        };
    Spans spans = spans(kind, checkpoints, compressedBytes(), tarBytes, buffer.resource());
    if (spans.count() != spanDigests.size()) {
      throw buffer.corrupt(
          "%d spans, but %d digests".formatted(spans.count(), spanDigests.size()), root.at());
    }
    return spans;
  }

  /** The spans that a zTOC's checkpoints say. */
  static Spans spans(
      StreamCompression compression,
      MemorySegment checkpoints,
      long blobBytes,
      long tarBytes,
      String resource)
      throws CorruptException {
    return switch (compression) {
      case GZIP -> GzipSpans.read(checkpoints, blobBytes, tarBytes, resource);
      case NONE -> PlainSpans.read(checkpoints, blobBytes, tarBytes, resource);
      case ZSTD -> FrameSpans.read(checkpoints, blobBytes, tarBytes, resource);
    };
  }

  private CorruptException wrong(FlatTable entry, String problem) throws CorruptException {
    return buffer.corrupt(
        "entry \"%s\" has %s".formatted(entry.textAt(ZtocSchema.NAME), problem), entry.at());
  }

  private static CorruptException caused(CorruptException corrupt, Exception cause) {
    corrupt.initCause(cause);
    return corrupt;
  }
}
