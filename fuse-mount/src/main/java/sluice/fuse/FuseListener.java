package sluice.fuse;

/**
 * Hears what a FUSE session does, for metrics. Called on the threads that serve: implementations
 * are fast, block on nothing and throw nothing. Safe for use by many threads.
 */
public interface FuseListener {

  /** Where the bytes of a read came from. */
  enum Source {
    /** The page cache, answered by the thread that took the request. */
    MEMORY,
    /** The device file, after waiting for the disk. */
    DISK,
    /** The registry or another device, after waiting for it. */
    FETCHED
  }

  /** Hears nothing. */
  FuseListener NONE = new FuseListener() {};

  /**
   * A request was answered.
   *
   * @param opcode what was asked; of a request this protocol does not know, {@code unknown}
   * @param errno 0, or the error it was answered with
   * @param nanos from when it was taken to when it was answered
   */
  default void answered(String opcode, int errno, long nanos) {}

  /** A READ was answered with data. */
  default void read(Source source, int bytes, long nanos) {}

  /** How many images are mounted changed. */
  default void images(int mounted) {}

  /** How many reads wait for data that is not local changed. */
  default void waiting(int reads) {}
}
