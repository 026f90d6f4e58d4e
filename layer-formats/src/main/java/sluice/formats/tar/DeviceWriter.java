package sluice.formats.tar;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import sluice.core.DeviceStore;
import sluice.erofs.DeviceSlot;
import sluice.erofs.Extent;
import sluice.erofs.FileContent;
import sluice.erofs.LayerTree;

/**
 * Lays the content of files into a staged device, one file behind the other, each at a block of its
 * own. For one thread.
 *
 * <p>A file is taken in pieces of {@value #PIECE_BYTES} bytes, counted from its beginning. Pieces
 * of zeros are holes and get no room. The device fills from its beginning without gaps, so that the
 * store sees few, large writes.
 */
final class DeviceWriter implements TarReader.ContentSink {

  /** Small enough to find the holes of images of disks, large enough for few extents. */
  static final int PIECE_BYTES = 128 * 1024;

  private static final int BUFFER_BYTES = 8 * PIECE_BYTES;

  /** The only device of the layer's tree. */
  private static final int DEVICE = 0;

  private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(PIECE_BYTES).asReadOnlyBuffer();

  /** What an extent takes of the heap while its file is read, with its place in a list. */
  private static final int EXTENT_BYTES = 40 + 8;

  private final DeviceStore.Staged staged;
  private final PlacementTable placements;
  private final LayerTree.Growth growth;
  private final Runs runs = new Runs();

  /** What is not yet written; its first byte belongs at {@code bufferOffset} of the device. */
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);

  private long bufferOffset;

  /** Extents of the current file, and its first byte that is in none of the pieces so far. */
  private List<Extent> extents = new ArrayList<>();

  /** Of the file that has most so far: the tree asks for the extents of a file when it has it. */
  private int mostExtents = 1;

  private long pieceFileOffset;
  private int pieceStart;
  private int pieceBytes;

  /**
   * @param growth is asked before more is kept of a file than others needed before it
   */
  DeviceWriter(DeviceStore.Staged staged, PlacementTable placements, LayerTree.Growth growth) {
    this.staged = staged;
    this.placements = placements;
    this.growth = growth;
  }

  @Override
  public void data(long streamOffset, byte[] bytes, int offset, int length) throws IOException {
    int done = 0;
    while (done < length) {
      int part = Math.min(length - done, PIECE_BYTES - pieceBytes);
      runs.add(streamOffset + done, pieceBytes, part);
      buffer.put(pieceStart + pieceBytes, bytes, offset + done, part);
      pieceBytes += part;
      done += part;
      endFullPiece();
    }
  }

  @Override
  public void hole(long length) throws IOException {
    long left = length;
    while (left > 0) {
      if (pieceBytes == 0 && left >= PIECE_BYTES) {
        long whole = left - left % PIECE_BYTES;
        pieceFileOffset += whole;
        left -= whole;
        continue;
      }
      int part = (int) Math.min(left, PIECE_BYTES - pieceBytes);
      buffer.put(pieceStart + pieceBytes, ZEROS, 0, part);
      pieceBytes += part;
      left -= part;
      endFullPiece();
    }
  }

  /** Ends the current file, all of which has been given, and begins the next. */
  FileContent endFile() throws IOException {
    if (pieceBytes > 0) {
      endPiece();
    }
    FileContent content = new FileContent(pieceFileOffset, extents);
    extents = new ArrayList<>();
    pieceFileOffset = 0;
    placements.endFile();
    return content;
  }

  /**
   * Writes what is left.
   *
   * @return length of the device in bytes
   */
  long finish() throws IOException {
    flush();
    return bufferOffset;
  }

  private void endFullPiece() throws IOException {
    if (pieceBytes == PIECE_BYTES) {
      endPiece();
    }
  }

  private void endPiece() throws IOException {
    if (!isZero()) {
      long deviceOffset = bufferOffset + pieceStart;
      runs.placeAt(deviceOffset, placements);
      addExtent(deviceOffset);
      int padding = -pieceBytes & (DeviceSlot.BLOCK_BYTES - 1);
      buffer.put(pieceStart + pieceBytes, ZEROS, 0, padding);
      pieceStart += pieceBytes + padding;
    }
    runs.clear();
    pieceFileOffset += pieceBytes;
    pieceBytes = 0;
    if (BUFFER_BYTES - pieceStart < PIECE_BYTES) {
      flush();
    }
  }

  private boolean isZero() {
    return runs.isEmpty()
        || buffer.slice(pieceStart, pieceBytes).equals(ZEROS.slice(0, pieceBytes));
  }

  private void addExtent(long deviceOffset) throws IOException {
    if (!extents.isEmpty()) {
      Extent last = extents.getLast();
      if (last.fileEnd() == pieceFileOffset
          && last.deviceOffset() + last.lengthBytes() == deviceOffset) {
        extents.removeLast();
        extents.add(
            new Extent(
                last.fileOffset(), last.lengthBytes() + pieceBytes, DEVICE, last.deviceOffset()));
        return;
      }
    }
    if (extents.size() == mostExtents) {
      growth.grow(EXTENT_BYTES);
      mostExtents++;
    }
    extents.add(new Extent(pieceFileOffset, pieceBytes, DEVICE, deviceOffset));
  }

  private void flush() throws IOException {
    if (pieceStart > 0) {
      staged.write(buffer.slice(0, pieceStart), bufferOffset);
      bufferOffset += pieceStart;
      pieceStart = 0;
    }
  }

  /** The runs of data in the current piece: all of it, but for holes of a sparse file. */
  private static final class Runs {
    private long[] streamOffsets = new long[4];
    private int[] pieceOffsets = new int[4];
    private int[] lengths = new int[4];
    private int count;

    void add(long streamOffset, int pieceOffset, int length) {
      if (count == lengths.length) {
        streamOffsets = Arrays.copyOf(streamOffsets, 2 * count);
        pieceOffsets = Arrays.copyOf(pieceOffsets, 2 * count);
        lengths = Arrays.copyOf(lengths, 2 * count);
      }
      streamOffsets[count] = streamOffset;
      pieceOffsets[count] = pieceOffset;
      lengths[count] = length;
      count++;
    }

    boolean isEmpty() {
      return count == 0;
    }

    void placeAt(long deviceOffset, PlacementTable placements) throws IOException {
      for (int i = 0; i < count; i++) {
        placements.add(streamOffsets[i], deviceOffset + pieceOffsets[i], lengths[i]);
      }
    }

    void clear() {
      count = 0;
    }
  }
}
