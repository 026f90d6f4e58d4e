package sluice.formats.rafs;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Set;
import sluice.core.CorruptException;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.formats.decode.EncodingDecoder;

/**
 * Gets compression context tables: from the bootstrap layer, or, where that has none (dictionary
 * blobs), from the blob itself.
 */
final class ContextReader implements Bootstrap.Contexts {

  /** Two million chunks and their batches; only blobs of a chunk dictionary get here. */
  private static final int MAX_TABLE_BYTES = 64 << 20;

  private static final ByteBuffer NO_WINDOW = ByteBuffer.allocate(0);

  private final RangeSource source;
  private final Set<Repository> holders;
  private final BootstrapLayer layer;

  ContextReader(RangeSource source, Set<Repository> holders, BootstrapLayer layer) {
    this.source = source;
    this.holders = holders;
    this.layer = layer;
  }

  @Override
  public ContextTable of(BlobEntry blob) throws IOException, InterruptedException {
    String resource = "blob.meta of blob " + blob.blob();
    Path file = layer.contexts().get(blob.blob().hex());
    return file == null ? fetch(blob, resource) : open(file, resource);
  }

  /** The file holds the decoded table, padded, and behind it the header. */
  static ContextTable open(Path file, String resource) throws IOException {
    MemorySegment all;
    try (FileChannel channel = FileChannel.open(file)) {
      all = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
    }
    long table = all.byteSize() - ContextHeader.BYTES;
    ContextHeader header = ContextHeader.read(all, table, resource);
    return new ContextTable(all.asSlice(0, table), header, resource);
  }

  private ContextTable fetch(BlobEntry blob, String resource)
      throws IOException, InterruptedException {
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
    return new ContextTable(MemorySegment.ofArray(decoded.array()), header, resource);
  }

  private static boolean outOfBounds(long length) {
    return length < 0 || length > MAX_TABLE_BYTES;
  }
}
