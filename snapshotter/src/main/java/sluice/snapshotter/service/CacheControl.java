package sluice.snapshotter.service;

import java.io.IOException;
import java.util.function.Consumer;
import sluice.api.control.CacheCheck;
import sluice.api.control.CacheDevice;
import sluice.api.control.PruneCacheResponse;

/**
 * The port to the chunk cache of this node: what {@code sluice cache} asks for. Safe for use by
 * many threads.
 */
public interface CacheControl {

  /** Tells of each device, by id. */
  void list(Consumer<CacheDevice> devices) throws IOException, InterruptedException;

  /**
   * Hashes again what is present, and drops what is wrong, so that the next read fetches it. One
   * device that cannot be checked does not stop the others.
   *
   * @param events is called by one thread at a time
   */
  void check(Consumer<CacheCheck> events) throws IOException, InterruptedException;

  /**
   * Deletes what no snapshot needs, and says what that was.
   *
   * @param dryRun to delete nothing, and say what would be
   */
  PruneCacheResponse prune(boolean dryRun) throws IOException, InterruptedException;
}
