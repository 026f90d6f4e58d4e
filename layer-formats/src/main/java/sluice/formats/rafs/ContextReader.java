package sluice.formats.rafs;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import sluice.core.CorruptException;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.formats.decode.EncodingDecoder;

/**
 * Gets compression context tables: from the bootstrap layer, or, where that has none, from the
 * blob. It has none for blobs of a chunk dictionary, and older converters put none into it.
 */
final class ContextReader implements Bootstrap.Contexts {

  /** Two million chunks and their batches; only blobs of a chunk dictionary get here. */
  private static final int MAX_TABLE_BYTES = 64 << 20;

  private static final ByteBuffer NO_WINDOW = ByteBuffer.allocate(0);

  /** A decoded table without its header, and the header. */
  record Decoded(MemorySegment table, ContextHeader header) {

    /** Reads what is in memory: the table, padded or not, and the header behind it. */
    static Decoded read(MemorySegment all, String resource) throws CorruptException {
      long table = all.byteSize() - ContextHeader.BYTES;
      return new Decoded(
          all.asSlice(0, Math.max(0, table)), ContextHeader.read(all, table, resource));
    }
  }

  /** Gets the table of a blob from another blob that holds nothing else. */
  @FunctionalInterface
  interface Separately {
    Decoded table(BlobEntry blob, BlobEntry.Separate place)
        throws IOException, InterruptedException;
  }

  private final RangeSource source;
  private final Set<Repository> holders;
  private final BootstrapLayer layer;
  private final Separately separately;
  private final Path scratch;

  /**
   * @param scratch a directory for files without names, in which tables lie that were fetched
   */
  ContextReader(
      RangeSource source,
      Set<Repository> holders,
      BootstrapLayer layer,
      Separately separately,
      Path scratch) {
    this.source = source;
    this.holders = holders;
    this.layer = layer;
    this.separately = separately;
    this.scratch = scratch;
  }

  @Override
  public ContextTable of(BlobEntry blob) throws IOException, InterruptedException {
    String resource = "blob.meta of blob " + blob.blob();
    BlobEntry.Separate separate = blob.contexts().separate();
    Path file = layer.contexts().get((separate == null ? blob.blob() : separate.blob()).hex());
    Decoded decoded;
    if (file != null) {
      decoded = Decoded.read(Layout.map(file), resource);
    } else if (separate != null) {
      decoded = separately.table(blob, separate);
    } else {
      decoded = fetch(blob, resource);
    }
    return separate == null
        ? new BatchTable(decoded.table(), decoded.header(), resource)
        : new ZranTable(decoded.table(), decoded.header(), blob.compressedBytes(), resource);
  }

  private Decoded fetch(BlobEntry blob, String resource) throws IOException, InterruptedException {
    BlobEntry.Contexts place = blob.contexts();
    if (outOfBounds(place.encodedBytes())
        || outOfBounds(place.decodedBytes())
        || place.offset() < 0
        || place.offset() > Long.MAX_VALUE - place.encodedBytes() - ContextHeader.BYTES) {
      throw new CorruptException(
          "blob table: contexts of %s bytes, decoded %s, at %s; at most %d"
              .formatted(
                  Long.toUnsignedString(place.encodedBytes()),
                  Long.toUnsignedString(place.decodedBytes()),
                  Long.toUnsignedString(place.offset()),
                  MAX_TABLE_BYTES),
          resource,
          -1);
    }
    ByteBuffer encoded = ByteBuffer.allocate((int) place.encodedBytes() + ContextHeader.BYTES);
    source.read(blob.blob(), holders, place.offset(), encoded, Lane.DEMAND);
    encoded.flip();
    ContextHeader header =
        ContextHeader.read(MemorySegment.ofBuffer(encoded), place.encodedBytes(), resource);
    ByteBuffer decoded = ByteBuffer.allocate((int) place.decodedBytes());
    boolean plain = place.encodedBytes() == place.decodedBytes();
    new EncodingDecoder()
        .decode(
            (plain ? Compressor.NONE : place.compressor()).encoding(),
            encoded.slice(0, (int) place.encodedBytes()),
            NO_WINDOW,
            decoded);
    return new Decoded(inFile(decoded.array()), header);
  }

  /** Not on the heap: an image may have a hundred blobs with a table each. */
  private MemorySegment inFile(byte[] table) throws IOException {
    Path file = Files.createTempFile(scratch, "contexts", "");
    try {
      Files.write(file, table);
      return Layout.map(file);
    } finally {
      Files.delete(file);
    }
  }

  private static boolean outOfBounds(long length) {
    return length < 0 || length > MAX_TABLE_BYTES;
  }
}
