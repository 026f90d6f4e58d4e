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

  /**
   * Threads for each core: all but one may wait for the disk. Measured with 8 programs that read at
   * random from a cold disk on 2 cores: 8 threads do a tenth more than 2.
   */
  private static final int READERS_PER_CORE = 4;

  /** Each keeps 1 MiB for an answer. */
  private static final int MAX_READERS = 8;

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
        Math.min(cores * READERS_PER_CORE, MAX_READERS), DEFAULT_READ_AHEAD_BYTES, true, true);
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
