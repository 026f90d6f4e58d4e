package sluice.cache;

import java.util.List;
import sluice.core.ByteRange;
import sluice.core.DeviceId;
import sluice.core.Digest;

/**
 * What a check of a device found.
 *
 * @param sound chunks that are what their digests say
 * @param unverifiable present chunks under a digest of their encoded bytes, which are not kept
 * @param bad what was wrong; these are no longer present
 */
public record CheckReport(DeviceId id, int sound, int unverifiable, List<Bad> bad) {

  public CheckReport {
    bad = List.copyOf(bad);
  }

  /**
   * A chunk whose bytes on disk are not what its digest says.
   *
   * @param number of the chunk in its device's table
   * @param encoded where the blob has it
   * @param deviceOffset where its wrong bytes begin in the device
   * @param lengthBytes how many bytes the digest is of
   */
  public record Bad(
      Digest blob,
      int number,
      ByteRange encoded,
      long deviceOffset,
      long lengthBytes,
      Digest expected,
      Digest found) {

    @Override
    public String toString() {
      return "chunk %d, bytes %s of blob %s: %s expected, %s found in %d bytes at %d of the device"
          .formatted(number, encoded, blob, expected, found, lengthBytes, deviceOffset);
    }
  }

  /** Is told how a check goes, by the thread that checks, so it returns soon. */
  public interface Listener {
    /** Tells nobody. */
    Listener NONE =
        new Listener() {
          @Override
          public void hashed(long lengthBytes) {}

          @Override
          public void found(Bad bad) {}
        };

    /** So many bytes more were read and hashed. */
    void hashed(long lengthBytes);

    /** A chunk is wrong, and no longer present. */
    void found(Bad bad);
  }
}
