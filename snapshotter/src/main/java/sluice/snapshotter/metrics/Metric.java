package sluice.snapshotter.metrics;

/**
 * What is measured: the name as Micrometer takes it (Prometheus shows dots as underscores), and
 * what a scrape says of it. Values of tags come from enums and the names of formats: never a
 * digest, a path or a URL.
 */
enum Metric {
  SNAPSHOTS("sluice.snapshots", "Snapshots in the store."),
  MOUNTS("sluice.mounts", "Root file systems that are mounted."),
  FETCHED("sluice.fetched.bytes", "Bytes taken from registries, as they came over the wire."),
  FETCH("sluice.fetch", "How long one request at a registry took."),
  SERVED("sluice.served.bytes", "Bytes that containers read, by where they were."),
  READ("sluice.read", "How long a read of a container took, by where the bytes were."),
  WAITING("sluice.reads.waiting", "Reads that wait for a registry now."),
  COPIED("sluice.copied.bytes", "Bytes of chunks that another device of the cache held already."),
  CACHE("sluice.cache.bytes", "What the chunk cache occupies on disk."),
  LAYERS("sluice.layers", "Layers that were made ready, by the format that serves them."),
  FALLBACKS("sluice.fallbacks", "Layers that could not be served and were left to containerd."),
  PREPARE("sluice.prepare.blocked", "How long containerd waited in Prepare of a layer."),
  LAYER_CHECKS("sluice.layer.checks", "Layers compared with what their indexes show."),
  UNDECIDED(
      "sluice.layers.undecided", "Layers in use that could not be compared with their indexes."),
  ERRORS("sluice.errors", "Failures.");

  static final String FORMAT = "format";
  static final String KIND = "kind";
  static final String LANE = "lane";
  static final String SOURCE = "source";
  static final String REASON = "reason";
  static final String OUTCOME = "outcome";

  private final String title;
  private final String help;

  Metric(String title, String help) {
    this.title = title;
    this.help = help;
  }

  /** The name of the meter. */
  String title() {
    return title;
  }

  /** One sentence for who reads a scrape. */
  String help() {
    return help;
  }
}
