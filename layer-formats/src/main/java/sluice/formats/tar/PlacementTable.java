package sluice.formats.tar;

import java.io.IOException;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.Digest;
import sluice.core.Placement;
import sluice.erofs.LayerTree;

/**
 * Where the runs of file data of one layer lie, in its tar stream and in its device: three numbers
 * for each run, as a layer may have hundreds of thousands of files. For one thread until it is
 * complete.
 */
final class PlacementTable {

  private static final int FIRST_CAPACITY = 256;

  /**
   * What a run takes of the heap: three columns, half empty at worst, the last of them while it is
   * copied.
   */
  static final int RUN_BYTES = 56;

  private final LayerTree.Growth growth;

  private long[] decodedOffsets = new long[FIRST_CAPACITY];
  private long[] deviceOffsets = new long[FIRST_CAPACITY];
  private long[] lengths = new long[FIRST_CAPACITY];
  private int count;

  /** The first run of the current file. */
  private int fileStart;

  /**
   * @param growth is asked before a file gets more than one run; the first one is in what the tree
   *     asks for the file
   */
  PlacementTable(LayerTree.Growth growth) {
    this.growth = growth;
  }

  /** Ends the current file and begins the next. */
  void endFile() {
    fileStart = count;
  }

  /**
   * Adds a run behind the others, or lengthens the last one where both spaces go on.
   *
   * @throws IOException if there may be no more; then nothing is added
   */
  void add(long decodedOffset, long deviceOffset, long length) throws IOException {
    int last = count - 1;
    if (count > 0
        && decodedOffsets[last] + lengths[last] == decodedOffset
        && deviceOffsets[last] + lengths[last] == deviceOffset) {
      lengths[last] += length;
      return;
    }
    if (count > fileStart) {
      growth.grow(RUN_BYTES);
    }
    if (count == lengths.length) {
      decodedOffsets = Arrays.copyOf(decodedOffsets, 2 * count);
      deviceOffsets = Arrays.copyOf(deviceOffsets, 2 * count);
      lengths = Arrays.copyOf(lengths, 2 * count);
    }
    decodedOffsets[count] = decodedOffset;
    deviceOffsets[count] = deviceOffset;
    lengths[count] = length;
    count++;
  }

  boolean isEmpty() {
    return count == 0;
  }

  /**
   * The one chunk of the device: the whole blob. Made anew for each iteration, and not kept.
   *
   * @param blobBytes length of the blob
   * @param decodedBytes length of the tar stream
   */
  Iterable<Chunk> chunks(
      StreamCompression compression, Digest blob, long blobBytes, long decodedBytes) {
    return () -> {
      Chunk chunk =
          new Chunk(
              new ByteRange(0, blobBytes),
              new ChunkEncoding.WholeStream(compression),
              decodedBytes,
              blob,
              new Placements());
      return List.of(chunk).iterator();
    };
  }

  private final class Placements extends AbstractList<Placement> implements RandomAccess {
    @Override
    public Placement get(int index) {
      return new Placement(decodedOffsets[index], lengths[index], deviceOffsets[index], null);
    }

    @Override
    public int size() {
      return count;
    }
  }
}
