package sluice.fuse;

/**
 * How a file system is mounted.
 *
 * @param readers threads that take requests, 1 or more
 * @param readAheadBytes how far the kernel reads ahead; it asks for at most 1 MiB at once
 * @param setId whether set-id bits of images work: containers need them, a user's directory must
 *     not have them
 * @param deviceNodes whether device nodes of images work; likewise
 */
public record FuseOptions(int readers, int readAheadBytes, boolean setId, boolean deviceNodes) {

  /** Measured: 128 KiB, the kernel's own, gives half of the sequential throughput. */
  private static final int DEFAULT_READ_AHEAD_BYTES = 1 << 20;

  private static final int MIN_READERS = 2;

  /** More than this made no difference in throughput, and each keeps 1 MiB. */
  private static final int MAX_READERS = 4;

  public FuseOptions {
    if (readers < 1 || readAheadBytes < 0) {
      throw new IllegalArgumentException(
          "fuse: readers " + readers + ", read-ahead " + readAheadBytes);
    }
  }

  /** For the images that containers run. */
  public static FuseOptions forContainers() {
    int cores = Runtime.getRuntime().availableProcessors();
    return new FuseOptions(
        Math.clamp(cores, MIN_READERS, MAX_READERS), DEFAULT_READ_AHEAD_BYTES, true, true);
  }

  /** For a user's directory: {@code nosuid,nodev}. */
  public static FuseOptions forUsers() {
    return forContainers().withSetId(false).withDeviceNodes(false);
  }

  public FuseOptions withSetId(boolean allowed) {
    return new FuseOptions(readers, readAheadBytes, allowed, deviceNodes);
  }

  public FuseOptions withDeviceNodes(boolean allowed) {
    return new FuseOptions(readers, readAheadBytes, setId, allowed);
  }
}
