package sluice.formats.rafs;

import java.lang.foreign.MemorySegment;
import sluice.core.ChunkEncoding.DeflateCheckpoint;
import sluice.core.CorruptException;

/**
 * The context table of a blob that refers into a gzip layer: each context is a checkpoint in the
 * layer, with the dictionary to go on from there. The dictionaries follow the contexts.
 */
final class ZranTable implements ContextTable {

  /**
   * The most that a context spans in the layer, encoded or decoded. nydus begins a new one at the
   * first deflate block after 2 MiB ({@code ZRAN_MAX_UNCOMP_SIZE}), so that none is longer than a
   * chunk of 16 MiB behind a block; zlib's blocks of at most 32 Ki symbols of 258 bytes are 8 MiB.
   */
  static final int MAX_CONTEXT_BYTES = 2 * RafsSuperblock.MAX_CHUNK_BYTES;

  /**
   * Where a chunk lies.
   *
   * @param context number of the context
   * @param decodedOffset in what the context decodes to
   */
  record Place(int context, int decodedOffset) {}

  private final MemorySegment table;
  private final ContextHeader header;
  private final long blobBytes;
  private final MemorySegment windows;
  private final String resource;

  /**
   * @param table entries, contexts and dictionaries, decoded
   * @param blobBytes length of the layer
   * @throws CorruptException if the header's numbers do not fit the table
   */
  ZranTable(MemorySegment table, ContextHeader header, long blobBytes, String resource)
      throws CorruptException {
    this.table = table;
    this.header = header;
    this.blobBytes = blobBytes;
    this.resource = resource;
    ContextTable.require(table, header, BlobEntry.FEATURE_ZRAN, ZranContext.BYTES, resource);
    long from = header.contextsOffset() + header.contexts() * ZranContext.BYTES;
    long length = header.contextsBytes() - header.contexts() * ZranContext.BYTES;
    Layout.require(table, from, length, "dictionaries", resource);
    this.windows = table.asSlice(from, length);
  }

  /** The dictionaries; {@link DeflateCheckpoint#window} points into them. */
  MemorySegment windows() {
    return windows;
  }

  /**
   * Checks the entry and the context of a chunk.
   *
   * @throws CorruptException if the entry is of another chunk, or of none in a context, or if the
   *     context lies outside of the layer, has no such dictionary, or is too long
   */
  void check(ChunkEntry chunk) throws CorruptException {
    ContextEntry entry = ContextEntry.find(table, header, chunk, ContextEntry.FLAG_ZRAN, resource);
    if (entry.context() >= header.contexts()) {
      throw new CorruptException(
          "context entry %d: context %d of %d"
              .formatted(chunk.index(), entry.context(), header.contexts()),
          resource,
          (long) chunk.index() * ContextEntry.BYTES);
    }
    ZranContext context = context((int) entry.context());
    check(context, offset((int) entry.context()));
    if (entry.decodedOffset() > context.decodedBytes() - entry.uncompressedBytes()) {
      throw new CorruptException(
          "context entry %d: %d bytes at %d of context %d, which decodes to %d"
              .formatted(
                  chunk.index(),
                  entry.uncompressedBytes(),
                  entry.decodedOffset(),
                  entry.context(),
                  context.decodedBytes()),
          resource,
          (long) chunk.index() * ContextEntry.BYTES);
    }
  }

  private void check(ZranContext context, long at) throws CorruptException {
    boolean sized =
        context.encodedBytes() > 0
            && context.encodedBytes() <= MAX_CONTEXT_BYTES
            && context.decodedBytes() > 0
            && context.decodedBytes() <= MAX_CONTEXT_BYTES;
    boolean inside =
        context.encodedOffset() >= 0
            && context.encodedOffset() <= blobBytes - context.encodedBytes();
    if (!sized || !inside) {
      throw new CorruptException(
          "%s: expected 1 to %d bytes, encoded and decoded, in a layer of %d"
              .formatted(context, MAX_CONTEXT_BYTES, blobBytes),
          resource,
          at);
    }
    boolean known =
        context.windowBytes() <= DeflateCheckpoint.MAX_WINDOW_BYTES
            && context.windowOffset() >= 0
            && context.windowOffset() <= windows.byteSize() - context.windowBytes();
    if (!known || context.bits() >= Byte.SIZE) {
      throw new CorruptException(
          "%s: expected at most %d of %d bytes of dictionaries, and fewer than 8 bits"
              .formatted(context, DeflateCheckpoint.MAX_WINDOW_BYTES, windows.byteSize()),
          resource,
          at);
    }
  }

  /** Where a chunk lies that {@link #check} has passed. */
  Place place(ChunkEntry chunk) {
    ContextEntry entry =
        ContextEntry.read(table, Integer.toUnsignedLong(chunk.index()) * ContextEntry.BYTES);
    return new Place((int) entry.context(), (int) entry.decodedOffset());
  }

  /** A context of a {@link #place}. */
  ZranContext context(int number) {
    return ZranContext.read(table, offset(number));
  }

  private long offset(int number) {
    return header.contextsOffset() + Integer.toUnsignedLong(number) * ZranContext.BYTES;
  }
}
