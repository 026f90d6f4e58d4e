package sluice.formats.inflate;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;

/**
 * Inflaters for chunks, which take less time to decode than an inflater to make. Safe for use by
 * many threads. The process owns the pools; what they keep is bounded.
 */
public final class InflaterPool {

  /** Idle inflaters that are kept, each with 0.5 MiB: as many chunks are decoded at once. */
  private static final int MAX_IDLE = Runtime.getRuntime().availableProcessors();

  private static final Map<InflaterLibrary, InflaterPool> POOLS = pools();

  private final InflaterLibrary library;
  private final ArrayBlockingQueue<RawInflater> idle = new ArrayBlockingQueue<>(MAX_IDLE);

  private InflaterPool(InflaterLibrary library) {
    this.library = library;
  }

  private static Map<InflaterLibrary, InflaterPool> pools() {
    Map<InflaterLibrary, InflaterPool> pools = new EnumMap<>(InflaterLibrary.class);
    for (InflaterLibrary library : InflaterLibrary.values()) {
      pools.put(library, new InflaterPool(library));
    }
    return pools;
  }

  /** The process's inflaters of one library, which must be {@link InflaterLibrary#present}. */
  @SuppressWarnings("NullAway") // There is a pool for each library.
  public static InflaterPool of(InflaterLibrary library) {
    return POOLS.get(library);
  }

  /** Lends an inflater, in whatever state it may be: {@link #giveBack} it. */
  public RawInflater take() {
    RawInflater inflater = idle.poll();
    return inflater == null ? library.open() : inflater;
  }

  /** Takes ownership of an inflater that {@link #take} has lent. */
  public void giveBack(RawInflater inflater) {
    if (!idle.offer(inflater)) {
      inflater.close();
    }
  }

  /** Which library its inflaters are of. */
  public InflaterLibrary library() {
    return library;
  }
}
