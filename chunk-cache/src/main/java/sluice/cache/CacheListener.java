package sluice.cache;

import java.time.Duration;
import sluice.core.DeviceId;
import sluice.core.Lane;

/**
 * What happens in the cache, for metrics. Called by the threads that do the work, so that calls
 * must be short and never throw; safe for use by many threads. Each method does nothing unless
 * overridden.
 */
public interface CacheListener {

  /** Listens to nothing. */
  CacheListener NONE = new CacheListener() {};

  /** Why a chunk did not get into the cache. */
  enum Failure {
    /** No repository gave the bytes. */
    FETCH,
    /** The bytes were not what their digest says, or could not be decoded. */
    VERIFY,
    /** No space is left for the data. */
    DISK_FULL,
    /** The disk, or the file system, failed. */
    DISK,
    /** The cache was closed, or the device deleted, meanwhile. */
    CLOSED
  }

  /** {@code ensure} found all bytes present. */
  default void hit(long bytes) {}

  /**
   * {@code ensure} waited for chunks; {@code bytes} is the length of the range it was asked for.
   */
  default void waited(Lane lane, long bytes, Duration duration) {}

  /** A request at a registry began. */
  default void fetchBegan(Lane lane) {}

  /** The request that began ended, {@code encodedBytes} long; 0 if it failed. */
  default void fetchEnded(Lane lane, long encodedBytes, Duration duration) {}

  /** A chunk became present from a registry; {@code bytes} were written to its device. */
  default void stored(long bytes) {}

  /** A chunk became present from another device of this node. */
  default void copied(long bytes) {}

  /** A chunk failed. */
  default void failed(Failure failure) {}

  /**
   * What was given for a chunk of the device is not what the device's index says of it: one of them
   * is wrong.
   */
  default void unverified(DeviceId device) {}

  /** Data of a device was made durable. */
  default void synced(Duration duration) {}
}
