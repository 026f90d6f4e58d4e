package sluice.snapshotter.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import sluice.core.Lane;
import sluice.snapshotter.state.FallbackKind;

/**
 * Takes the figures. Every meter exists from the beginning, so that a graph shows zero and not
 * nothing. Safe for use by many threads; no method blocks.
 */
public final class Meters {

  /** Where the bytes of a read came from. */
  public enum Source {
    /** The page cache. */
    MEMORY,
    /** The chunk cache on disk. */
    DISK,
    /** A registry, or an equal chunk, after waiting for it. */
    FETCHED
  }

  /** What failed. */
  public enum Failure {
    /** A registry did not give what it was asked for. */
    FETCH,
    /** Bytes were not what their digest says. */
    VERIFY,
    /** No space is left. */
    DISK_FULL,
    /** The disk failed. */
    DISK,
    /** A read of a container was answered with an error. */
    READ,
    /** An image could not be mounted. */
    MOUNT
  }

  /** How a Prepare of a layer ended. */
  public enum PrepareOutcome {
    /** By an index. */
    LAZY,
    /** The whole layer came by. */
    STREAMED,
    /** It is unpacked the ordinary way. */
    FALLBACK,
    INTERRUPTED
  }

  /** How a layer's comparison with its index ended. */
  public enum LayerCheckOutcome {
    HONEST,
    LYING,
    UNDECIDED
  }

  /** What is counted as a snapshot of its kind. */
  public enum SnapshotKind {
    ACTIVE,
    VIEW,
    COMMITTED
  }

  /** A hit in memory takes microseconds, a miss over a slow link seconds. */
  private static final Duration[] LATENCIES = {
    Duration.ofNanos(50_000),
    Duration.ofNanos(200_000),
    Duration.ofMillis(1),
    Duration.ofMillis(5),
    Duration.ofMillis(20),
    Duration.ofMillis(50),
    Duration.ofMillis(100),
    Duration.ofMillis(250),
    Duration.ofSeconds(1),
    Duration.ofSeconds(5),
    Duration.ofSeconds(30),
    Duration.ofMinutes(2)
  };

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Map<Lane, Counter> fetched;
  private final Map<Lane, Timer> fetches;
  private final Map<Source, Counter> served;
  private final Map<Source, Timer> reads;
  private final Map<FallbackKind, Counter> fallbacks;
  private final Map<LayerCheckOutcome, Counter> layerChecks;
  private final Map<PrepareOutcome, Timer> prepares;
  private final Map<Failure, Counter> failures;
  private final Counter copied;
  private final AtomicInteger mounts = new AtomicInteger();
  private final AtomicInteger waiting = new AtomicInteger();

  public Meters() {
    fetched = each(Lane.class, lane -> counter(Metric.FETCHED, Metric.LANE, lane));
    fetches = each(Lane.class, lane -> timer(Metric.FETCH, Metric.LANE, lane));
    served = each(Source.class, source -> counter(Metric.SERVED, Metric.SOURCE, source));
    reads = each(Source.class, source -> timer(Metric.READ, Metric.SOURCE, source));
    fallbacks = each(FallbackKind.class, kind -> counter(Metric.FALLBACKS, Metric.REASON, kind));
    prepares = each(PrepareOutcome.class, end -> timer(Metric.PREPARE, Metric.OUTCOME, end));
    layerChecks =
        each(LayerCheckOutcome.class, end -> counter(Metric.LAYER_CHECKS, Metric.OUTCOME, end));
    failures = each(Failure.class, kind -> counter(Metric.ERRORS, Metric.KIND, kind));
    copied =
        Counter.builder(Metric.COPIED.title()).description(Metric.COPIED.help()).register(registry);
    gauge(Metric.MOUNTS, mounts::get);
    gauge(Metric.WAITING, waiting::get);
    for (MeterBinder process :
        List.of(
            new JvmMemoryMetrics(),
            new JvmThreadMetrics(),
            new FileDescriptorMetrics(),
            new ProcessorMetrics(),
            new UptimeMetrics())) {
      process.bindTo(registry);
    }
  }

  /** A request for chunks ended. */
  public void fetched(Lane lane, Duration duration) {
    at(fetches, lane).record(duration);
  }

  /** Bytes of content came in from a registry. */
  public void received(Lane lane, long encodedBytes) {
    at(fetched, lane).increment((double) encodedBytes);
  }

  /** A container's read was answered with data. */
  public void served(Source source, long bytes, Duration duration) {
    at(served, source).increment((double) bytes);
    at(reads, source).record(duration);
  }

  /** A chunk was copied from another device. */
  public void copied(long bytes) {
    copied.increment((double) bytes);
  }

  /** Something failed. */
  public void failed(Failure failure) {
    at(failures, failure).increment();
  }

  /** How many root file systems are mounted now. */
  public void mounts(int now) {
    mounts.set(now);
  }

  /** How many reads wait for a registry now. */
  public void waiting(int now) {
    waiting.set(now);
  }

  /** Where the number of snapshots of a kind is to be had, whenever somebody looks; NaN if not. */
  public void snapshots(SnapshotKind kind, DoubleSupplier count) {
    Gauge.builder(Metric.SNAPSHOTS.title(), count, DoubleSupplier::getAsDouble)
        .description(Metric.SNAPSHOTS.help())
        .tag(Metric.KIND, label(kind))
        .strongReference(true)
        .register(registry);
  }

  /** By which formats layers may be served; each has its figure from now on. */
  public void formats(List<String> names) {
    names.forEach(this::layers);
  }

  /** Where the size of the chunk cache is to be had, whenever somebody looks; NaN if not. */
  public void cacheBytes(DoubleSupplier bytes) {
    gauge(Metric.CACHE, bytes);
  }

  /** Where the number of layers is to be had that could not be compared with their indexes. */
  public void undecidedLayers(DoubleSupplier layers) {
    gauge(Metric.UNDECIDED, layers);
  }

  /** Bytes that came from registries since the daemon started. */
  public long fetchedBytes() {
    return total(fetched);
  }

  /** Bytes that containers read since the daemon started. */
  public long servedBytes() {
    return total(served);
  }

  /** How often each kind of failure occurred, by the label that the metric has. */
  public Map<String, Long> failureCounts() {
    Map<String, Long> counts = new TreeMap<>();
    failures.forEach((kind, counter) -> {
      long count = (long) counter.count();
      if (count > 0) {
        counts.put(label(kind), count);
      }
    });
    return counts;
  }

  /** All figures, in the text form of Prometheus. */
  public String scrape() {
    return registry.scrape();
  }

  void prepared(PrepareOutcome outcome, Duration blocked) {
    at(prepares, outcome).record(blocked);
  }

  /** A layer was made ready, to be served by the format of this name. */
  void ready(String format) {
    layers(format).increment();
  }

  void fellBack(FallbackKind kind) {
    at(fallbacks, kind).increment();
  }

  /** A layer was compared with its index. */
  public void compared(LayerCheckOutcome outcome) {
    at(layerChecks, outcome).increment();
  }

  private void gauge(Metric metric, DoubleSupplier value) {
    Gauge.builder(metric.title(), value, DoubleSupplier::getAsDouble)
        .description(metric.help())
        .strongReference(true)
        .register(registry);
  }

  private Counter layers(String format) {
    return counter(Metric.LAYERS, Metric.FORMAT, format);
  }

  private Counter counter(Metric metric, String tag, Enum<?> value) {
    return counter(metric, tag, label(value));
  }

  private Counter counter(Metric metric, String tag, String value) {
    return Counter.builder(metric.title())
        .description(metric.help())
        .tag(tag, value)
        .register(registry);
  }

  private Timer timer(Metric metric, String tag, Enum<?> value) {
    return Timer.builder(metric.title())
        .description(metric.help())
        .tag(tag, label(value))
        .serviceLevelObjectives(LATENCIES)
        .register(registry);
  }

  private static long total(Map<?, Counter> counters) {
    return (long) counters.values().stream().mapToDouble(Counter::count).sum();
  }

  private static <K extends Enum<K>, M> Map<K, M> each(Class<K> type, Function<K, M> meter) {
    Map<K, M> meters = new EnumMap<>(type);
    for (K key : type.getEnumConstants()) {
      meters.put(key, meter.apply(key));
    }
    return meters;
  }

  private static <K, M> M at(Map<K, M> meters, K key) {
    M meter = meters.get(key);
    if (meter == null) {
      throw new AssertionError("no meter for " + key);
    }
    return meter;
  }

  private static String label(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
