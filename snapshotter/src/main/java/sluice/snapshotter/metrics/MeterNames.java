package sluice.snapshotter.metrics;

/**
 * The names of all meters and tags, as Micrometer takes them; Prometheus shows dots as underscores.
 * Values of tags come from enums: never a digest, a path or a URL.
 */
final class MeterNames {

  /** Snapshots in the store, by {@link #KIND}. */
  static final String SNAPSHOTS = "sluice.snapshots";

  /** Root file systems that are mounted. */
  static final String MOUNTS = "sluice.mounts";

  /** Bytes taken from registries, as they came over the wire, by {@link #LANE}. */
  static final String FETCHED = "sluice.fetched.bytes";

  /** How long one request at a registry took, by {@link #LANE}. */
  static final String FETCH = "sluice.fetch";

  /** Bytes that containers read, by {@link #SOURCE}. */
  static final String SERVED = "sluice.served.bytes";

  /** How long a read of a container took, by {@link #SOURCE}. */
  static final String READ = "sluice.read";

  /** Reads that wait for a registry now. */
  static final String WAITING = "sluice.reads.waiting";

  /** Bytes of chunks that were copied from another device of the cache instead of fetched. */
  static final String COPIED = "sluice.copied.bytes";

  /** What the chunk cache occupies on disk. */
  static final String CACHE = "sluice.cache.bytes";

  /** Layers that are unpacked the ordinary way, by {@link #REASON}. */
  static final String FALLBACKS = "sluice.fallbacks";

  /** How long containerd waited in Prepare of a layer, by {@link #OUTCOME}. */
  static final String PREPARE = "sluice.prepare.blocked";

  /** Failures, by {@link #KIND}. */
  static final String ERRORS = "sluice.errors";

  static final String KIND = "kind";
  static final String LANE = "lane";
  static final String SOURCE = "source";
  static final String REASON = "reason";
  static final String OUTCOME = "outcome";

  private MeterNames() {}
}
