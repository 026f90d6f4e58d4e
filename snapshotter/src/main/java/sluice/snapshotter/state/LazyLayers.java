package sluice.snapshotter.state;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/**
 * The port from the snapshots to the image lifecycle: how a layer becomes lazy, and how a run of
 * lazy layers becomes a directory. Safe for use by many threads.
 *
 * <p>Nothing here is counted up and down: the store alone knows what is needed, and {@link #retain}
 * drops the rest. What was made ready a moment ago, for a snapshot that is not yet in the store, is
 * protected by its {@link Pin}.
 */
public interface LazyLayers {

  /**
   * Makes a layer ready to be served lazily: when it returns {@link Outcome.Lazy}, everything that
   * a mount of it needs is on local disk, or can be had again from what {@link LazyLayer} says.
   * Waits for the registry no longer than manifest and index take, and for the whole layer only
   * where it must be streamed.
   *
   * <p>Whatever goes wrong is a {@link Outcome.Fallback}; the work that others wait for goes on.
   *
   * @throws InterruptedException if the calling thread is interrupted; a later call joins the work
   */
  Outcome prepare(LayerRequest request) throws InterruptedException;

  /**
   * Says that one more request named a layer that is in the store already: the repository of that
   * request's image may serve it, too. Returns at once and never fails.
   */
  void named(LazyLayer layer, LayerRequest request);

  /**
   * Mounts a run, or finds it mounted. If {@link #restore} is still busy with it, waits for that.
   *
   * @throws IOException if it cannot be mounted now; the message names the image and the cause. The
   *     next call tries again.
   */
  Rootfs mount(LazyRun run) throws IOException, InterruptedException;

  /** What the layer's devices occupy now; shared ones counted once. No I/O to a registry. */
  Usage usage(LazyLayer layer) throws IOException;

  /**
   * Unmounts and deletes what nothing needs any more.
   *
   * <p>The order matters: what has no pin is noted first; then {@code needed} is asked, once; then
   * what was noted, is not needed and was not pinned meanwhile is dropped. So a snapshot that comes
   * into the store before its pin is closed never loses its content.
   */
  void retain(NeededQuery needed) throws IOException;

  /**
   * Begins to mount again, after a restart, what snapshots stand on. Returns at once, needs no
   * registry, and one image that fails does not stop the others.
   */
  void restore(Needed needed);

  /**
   * What must stay.
   *
   * @param committed every lazy layer in the store, of all snapshotters
   * @param mounted every run that an active snapshot or a view stands on
   */
  record Needed(Set<LazyLayer> committed, Set<LazyRun> mounted) {
    public Needed {
      committed = Set.copyOf(committed);
      mounted = Set.copyOf(mounted);
    }
  }

  /** Asks the store. */
  @FunctionalInterface
  interface NeededQuery {
    Needed get() throws IOException;
  }

  /**
   * While it is open, {@link #retain} leaves what it came with alone. Closing twice is harmless.
   */
  interface Pin extends AutoCloseable {
    @Override
    void close();
  }

  /** What became of a {@link #prepare}. */
  sealed interface Outcome {

    /** The layer is ready. The caller closes {@code pin} when {@code layer} is in the store. */
    record Lazy(LazyLayer layer, Pin pin) implements Outcome {}

    /**
     * The layer must be unpacked the ordinary way.
     *
     * @param reason one sentence for people: what was tried, what was found, what can be done
     */
    record Fallback(FallbackKind kind, String reason) implements Outcome {}
  }

  /**
   * A mounted run. The caller closes {@code pin} when the snapshot that stands on it is in the
   * store.
   *
   * @param lower the directory that overlayfs takes as {@code lowerdir}
   */
  record Rootfs(Path lower, Pin pin) {}
}
