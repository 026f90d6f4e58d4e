package sluice.formats.soci;

import java.util.Arrays;
import java.util.Optional;
import sluice.core.ByteRange;
import sluice.core.DeviceIndex;

/**
 * Where the data of files lies in the tar stream and in the device: one behind the other in both,
 * in the device each at a block of its own. Two numbers for each file, as a layer may have hundreds
 * of thousands. For one thread until it is complete.
 */
final class FileRuns {

  private static final int FIRST_CAPACITY = 256;

  private long[] tarOffsets = new long[FIRST_CAPACITY];
  private long[] lengths = new long[FIRST_CAPACITY];
  private long[] deviceOffsets = new long[FIRST_CAPACITY];
  private int count;
  private long deviceBytes;

  /**
   * Adds a file behind the others.
   *
   * @param lengthBytes 1 or more
   * @return where it lies in the device
   */
  long add(long tarOffset, long lengthBytes) {
    if (count == lengths.length) {
      tarOffsets = Arrays.copyOf(tarOffsets, 2 * count);
      lengths = Arrays.copyOf(lengths, 2 * count);
      deviceOffsets = Arrays.copyOf(deviceOffsets, 2 * count);
    }
    long deviceOffset = deviceBytes;
    tarOffsets[count] = tarOffset;
    lengths[count] = lengthBytes;
    deviceOffsets[count] = deviceOffset;
    count++;
    long blocks = (lengthBytes + DeviceIndex.BLOCK_BYTES - 1) / DeviceIndex.BLOCK_BYTES;
    deviceBytes += blocks * DeviceIndex.BLOCK_BYTES;
    return deviceOffset;
  }

  int count() {
    return count;
  }

  long deviceBytes() {
    return deviceBytes;
  }

  long tarOffset(int file) {
    return tarOffsets[file];
  }

  long tarEnd(int file) {
    return tarOffsets[file] + lengths[file];
  }

  long deviceOffset(int file) {
    return deviceOffsets[file];
  }

  /** The first file that ends behind an offset of the tar stream; the count if there is none. */
  int endingBehind(long tarOffset) {
    int low = 0;
    int high = count;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (tarEnd(middle) > tarOffset) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  /**
   * The part of the device that files in a part of the tar stream fill; empty if there are none.
   */
  Optional<ByteRange> inDevice(ByteRange tar) {
    int first = endingBehind(tar.offset());
    int last = endingBehind(tar.end() - 1);
    if (last == count || tarOffsets[last] >= tar.end()) {
      last--;
    }
    if (tar.length() == 0 || last < first) {
      return Optional.empty();
    }
    long from = deviceOffsets[first] + Math.max(0, tar.offset() - tarOffsets[first]);
    long to = deviceOffsets[last] + Math.min(tar.end(), tarEnd(last)) - tarOffsets[last];
    return Optional.of(new ByteRange(from, to - from));
  }
}
