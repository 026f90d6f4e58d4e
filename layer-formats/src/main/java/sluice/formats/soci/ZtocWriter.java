package sluice.formats.soci;

import com.google.flatbuffers.FlatBufferBuilder;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import sluice.core.Bytes;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.Descriptor;
import sluice.core.Digest;

/**
 * Writes a zTOC, entry by entry, as SOCI's tools read it. For one thread.
 *
 * <p>A FlatBuffer is built from its end to its beginning. The entries are kept, outside of the
 * heap, until all is there, about 150 bytes each, twice that while the buffer grows; the
 * checkpoints, which are far more, need not be: they come last in the file, and are copied there.
 * Strings that recur in every entry are written once.
 */
public final class ZtocWriter implements Closeable {

  private static final String MEDIA_TYPE = "application/octet-stream";

  /** Of an index of zstd frames, so that no tool of SOCI takes it for one of its own. */
  private static final String FRAMES_MEDIA_TYPE = "application/vnd.sluice.zstd-frames.v1";

  private static final int FIRST_CAPACITY = 64 << 10;

  /** Types, owners, keys: few; link targets fill the rest. */
  private static final int MAX_SHARED = 4096;

  /** Of all of them: 4096 long link targets would be 16 MiB of the heap. */
  private static final int MAX_SHARED_BYTES = 2 << 20;

  private static final int COPY_BYTES = 64 << 10;

  private final NativeBuffers buffers;
  private final FlatBufferBuilder builder;
  private final Map<Bytes, Integer> shared = new HashMap<>();
  private int sharedBytes;
  private final String buildTool;

  /** An empty vector at the very end, which gets its length when that is known. */
  private final int checkpoints;

  private final int noRecords;
  private int[] entries = new int[256];

  /** Of {@code entries}, what was taken. */
  private long keptBytes;

  private int count;

  /**
   * Of a zTOC that may take any memory.
   *
   * @param buildTool name and version of what makes it
   */
  public ZtocWriter(String buildTool) {
    this(buildTool, new EntriesRoom(Long.MAX_VALUE));
  }

  /**
   * @param room for the entries, until this is closed
   * @throws UncheckedIOException if there is no room for any
   */
  ZtocWriter(String buildTool, EntriesRoom room) {
    this.buildTool = buildTool;
    this.buffers = new NativeBuffers(room);
    this.builder = new FlatBufferBuilder(FIRST_CAPACITY, buffers);
    this.checkpoints = emptyVector(1);
    this.noRecords = emptyVector(Integer.BYTES);
  }

  /**
   * The blob of the layer.
   *
   * @param compression none or gzip; zstd only for ourselves
   * @param blobBytes length of the blob
   * @param tarBytes length of the tar stream, at least up to its end mark
   * @param spanDigests SHA-256 of each span's bytes of the blob
   * @param checkpoints what {@link GzipCheckpoints} wrote, or {@link GzipCheckpoints#plain}
   */
  public record Blob(
      StreamCompression compression,
      long blobBytes,
      long tarBytes,
      List<Digest> spanDigests,
      MemorySegment checkpoints) {
    public Blob {
      spanDigests = List.copyOf(spanDigests);
    }
  }

  /**
   * Adds the next entry of the tar stream.
   *
   * @throws IOException if a zTOC cannot say what the entry is: a sparse file, a time outside of
   *     the years 0 to 9999; or if there is no room for it, and then nothing can be added any more
   * @throws IllegalArgumentException if the entry is of a type that is not known
   */
  public void add(ZtocEntry entry) throws IOException {
    if (entry.sparse()) {
      throw new IOException(
          "zTOC: \"%s\" is a sparse file, whose holes it cannot say".formatted(entry.name()));
    }
    try {
      build(entry);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private void build(ZtocEntry entry) throws IOException {
    int name = text(entry.name());
    int type = shared(Bytes.utf8(ZtocSchema.label(entry.type())));
    int linkName = shared(entry.linkName());
    int userName = shared(entry.userName());
    int groupName = shared(entry.groupName());
    int time = text(Bytes.utf8(Rfc3339.text(entry)));
    int records = records(entry);
    builder.startTable(ZtocSchema.ENTRY_FIELDS);
    builder.addOffset(ZtocSchema.NAME, name, 0);
    builder.addOffset(ZtocSchema.TYPE, type, 0);
    builder.addLong(ZtocSchema.OFFSET, entry.dataOffset(), 0);
    builder.addLong(ZtocSchema.SIZE, entry.size(), 0);
    builder.addOffset(ZtocSchema.LINK_NAME, linkName, 0);
    builder.addLong(ZtocSchema.MODE, entry.mode(), 0);
    builder.addInt(ZtocSchema.UID, (int) entry.uid(), 0);
    builder.addInt(ZtocSchema.GID, (int) entry.gid(), 0);
    builder.addOffset(ZtocSchema.USER_NAME, userName, 0);
    builder.addOffset(ZtocSchema.GROUP_NAME, groupName, 0);
    builder.addOffset(ZtocSchema.MOD_TIME, time, 0);
    builder.addLong(ZtocSchema.DEV_MAJOR, entry.devMajor(), 0);
    builder.addLong(ZtocSchema.DEV_MINOR, entry.devMinor(), 0);
    builder.addOffset(ZtocSchema.XATTRS, records, 0);
    keep(builder.endTable());
  }

  /** Frees what only more entries would need. */
  void endOfEntries() {
    shared.clear();
  }

  /**
   * Ends the zTOC and writes it. Nothing can be added then.
   *
   * @return what an index manifest says of it
   */
  public Descriptor finish(Blob blob, WritableByteChannel out) throws IOException {
    long length = blob.checkpoints.byteSize();
    if (builder.offset() + length > Ztoc.MAX_BYTES) {
      throw new IOException(
          "zTOC: %d entries in %d bytes and %d bytes of checkpoints, at most %d"
              .formatted(count, builder.offset(), length, Ztoc.MAX_BYTES));
    }
    try {
      builder.finish(root(blob));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    ByteBuffer data = builder.dataBuffer();
    data.putInt(data.limit() - Integer.BYTES, (int) length);
    MessageDigest digest = Digest.sha256();
    long size = data.remaining() + length;
    write(data, digest, out);
    for (long at = 0; at < length; at += COPY_BYTES) {
      long part = Math.min(COPY_BYTES, length - at);
      write(blob.checkpoints.asSlice(at, part).asByteBuffer(), digest, out);
    }
    String type = blob.compression == StreamCompression.ZSTD ? FRAMES_MEDIA_TYPE : MEDIA_TYPE;
    return new Descriptor(type, Digest.of(Digest.Algorithm.SHA256, digest.digest()), size);
  }

  @Override
  public void close() {
    shared.clear();
    buffers.close();
  }

  private int root(Blob blob) {
    int metadata = vector(Arrays.copyOf(entries, count));
    builder.startTable(ZtocSchema.TOC_FIELDS);
    builder.addOffset(ZtocSchema.METADATA, metadata, 0);
    int toc = builder.endTable();
    int compression = compression(blob);
    int version = text(Bytes.utf8(ZtocSchema.VERSION));
    int tool = text(Bytes.utf8(buildTool));
    builder.startTable(ZtocSchema.ZTOC_FIELDS);
    builder.addOffset(ZtocSchema.VERSION_FIELD, version, 0);
    builder.addOffset(ZtocSchema.BUILD_TOOL, tool, 0);
    builder.addLong(ZtocSchema.COMPRESSED_SIZE, blob.blobBytes, 0);
    builder.addLong(ZtocSchema.UNCOMPRESSED_SIZE, blob.tarBytes, 0);
    builder.addOffset(ZtocSchema.TOC, toc, 0);
    builder.addOffset(ZtocSchema.COMPRESSION_INFO, compression, 0);
    return builder.endTable();
  }

  private int compression(Blob blob) {
    byte algorithm =
        switch (blob.compression) {
          case GZIP -> ZtocSchema.GZIP;
          case NONE -> ZtocSchema.UNCOMPRESSED;
          case ZSTD -> ZtocSchema.ZSTD_FRAMES;
        };
    int[] texts = new int[blob.spanDigests.size()];
    for (int span = 0; span < texts.length; span++) {
      texts[span] = text(Bytes.utf8(blob.spanDigests.get(span).toString()));
    }
    int digests = vector(texts);
    builder.startTable(ZtocSchema.COMPRESSION_FIELDS);
    builder.addByte(ZtocSchema.ALGORITHM, algorithm, ZtocSchema.GZIP);
    builder.addInt(ZtocSchema.MAX_SPAN_ID, texts.length - 1, 0);
    builder.addOffset(ZtocSchema.SPAN_DIGESTS, digests, 0);
    builder.addOffset(ZtocSchema.CHECKPOINTS, checkpoints, 0);
    return builder.endTable();
  }

  private int records(ZtocEntry entry) {
    if (entry.records().isEmpty()) {
      return noRecords;
    }
    List<Integer> tables = new ArrayList<>();
    entry
        .records()
        .forEach((key, value) -> {
          int keyText = shared(Bytes.of(key.getBytes(StandardCharsets.ISO_8859_1)));
          int valueText = text(value);
          builder.startTable(ZtocSchema.XATTR_FIELDS);
          builder.addOffset(ZtocSchema.KEY, keyText, 0);
          builder.addOffset(ZtocSchema.VALUE, valueText, 0);
          tables.add(builder.endTable());
        });
    return vector(tables.stream().mapToInt(Integer::intValue).toArray());
  }

  private int emptyVector(int elementBytes) {
    builder.startVector(elementBytes, 0, elementBytes);
    return builder.endVector();
  }

  private int vector(int[] offsets) {
    return builder.createVectorOfTables(offsets);
  }

  private int text(Bytes text) {
    return builder.createString(text.asBuffer());
  }

  /** A string that other entries are likely to have, too. */
  private int shared(Bytes text) {
    Integer known = shared.get(text);
    if (known != null) {
      return known;
    }
    int added = text(text);
    if (shared.size() < MAX_SHARED && text.length() <= MAX_SHARED_BYTES - sharedBytes) {
      sharedBytes += text.length();
      shared.put(text, added);
    }
    return added;
  }

  private void keep(int entry) throws IOException {
    if (count == entries.length) {
      buffers.take(2L * count * Integer.BYTES);
      entries = Arrays.copyOf(entries, 2 * count);
      buffers.give(keptBytes);
      keptBytes = 2L * count * Integer.BYTES;
    }
    entries[count++] = entry;
  }

  private static void write(ByteBuffer data, MessageDigest digest, WritableByteChannel out)
      throws IOException {
    digest.update(data.duplicate());
    while (data.hasRemaining()) {
      out.write(data);
    }
  }
}
