package sluice.formats.soci;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import sluice.core.ContentHasher;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;

/** Fetches what an index lists, and verifies it. */
final class ZtocFetch {

  /** One request; zTOCs of most layers are shorter. */
  private static final int PIECE_BYTES = 8 << 20;

  private final RangeSource source;
  private final Set<Repository> holders;
  private final Path scratch;

  /**
   * @param scratch a file that is not there, where there is room
   */
  ZtocFetch(RangeSource source, Set<Repository> holders, Path scratch) {
    this.source = source;
    this.holders = Set.copyOf(holders);
    this.scratch = scratch;
  }

  /**
   * Fetches a blob, of at most 2 GiB, into a file that has no name any more when this returns: it
   * is mapped until nobody refers to the result.
   *
   * @throws CorruptException if it is not what its descriptor says, asked for twice
   */
  MemorySegment fetch(Descriptor blob) throws IOException, InterruptedException {
    try (FileChannel channel =
        FileChannel.open(
            scratch,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      MemorySegment bytes = fetch(blob, channel);
      if (!matches(blob, bytes)) {
        source.rejected(blob.digest(), holders, 0);
        bytes = fetch(blob, channel);
      }
      if (!matches(blob, bytes)) {
        throw new CorruptException(
            "%d bytes that are not what their digest says".formatted(blob.sizeBytes()),
            "SOCI artifact " + blob.digest(),
            -1);
      }
      return bytes;
    } finally {
      Files.deleteIfExists(scratch);
    }
  }

  private MemorySegment fetch(Descriptor blob, FileChannel into)
      throws IOException, InterruptedException {
    ByteBuffer piece = ByteBuffer.allocate((int) Math.min(PIECE_BYTES, blob.sizeBytes()));
    long at = 0;
    while (at < blob.sizeBytes()) {
      piece.clear().limit((int) Math.min(PIECE_BYTES, blob.sizeBytes() - at));
      source.read(blob.digest(), holders, at, piece, Lane.DEMAND);
      piece.flip();
      while (piece.hasRemaining()) {
        at += into.write(piece, at);
      }
    }
    return into.map(FileChannel.MapMode.READ_ONLY, 0, blob.sizeBytes(), Arena.ofAuto());
  }

  private static boolean matches(Descriptor blob, MemorySegment bytes) {
    return ContentHasher.matches(blob.digest(), bytes.asByteBuffer());
  }
}
