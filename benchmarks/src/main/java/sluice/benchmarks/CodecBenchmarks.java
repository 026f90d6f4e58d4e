package sluice.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import sluice.formats.inflate.InflaterLibrary;

/**
 * Runs what JMH measures on one core and prints tables. Bounds are ratios of two figures of the
 * same run, so that they mean the same on each machine.
 */
final class CodecBenchmarks {

  /** JMH wants one benchmark a host and keeps a lock in /tmp for that; ours may be there or not. */
  private static final String NO_LOCK = "jmh.ignoreLock";

  private static final int FORKS = 2;
  private static final int ITERATIONS = 3;
  private static final TimeValue ITERATION = TimeValue.seconds(1);

  /** Of the single calls the fast ones count: other programs can only make one slower. */
  private static final double PERCENTILE = 10;

  private static final double MEGA = 1e6;

  /** Side by side is 4 times as fast where the compiler vectorises it, and slower where not. */
  private static final double WIDE_BOUND = 2;

  /** What we add to a library: bounds that are checked, CRCs, an object or two. */
  private static final double LIBRARY_BOUND = 0.9;

  private static final String HASH_ROW = "| %12s | %12s | %12s |%n";
  private static final String INFLATE_ROW = "| %-14s | %-10s | %12s | %12s | %14s | %-12s |%n";
  private static final String DECODE_ROW = "| %-11s | %12s | %12s | %14s | %-12s |%n";

  private CodecBenchmarks() {}

  /** Prints what a core hashes. */
  static void hash(PrintStream out) throws IOException {
    Collection<RunResult> results = run(HashBenchmark.class, out);
    out.printf(HASH_ROW, "bytes", "blake3", "sha256");
    out.printf(HASH_ROW, "---:", "---:", "---:");
    for (int length : new int[] {HashBenchmark.SCALAR_BYTES, 65_536, HashBenchmark.WIDE_BYTES}) {
      out.printf(
          HASH_ROW,
          "%,d".formatted(length),
          speed(blake3(results, length)),
          speed(figure(results, "sha256", "lengthBytes", Integer.toString(length)) * length));
    }
    double ratio =
        blake3(results, HashBenchmark.WIDE_BYTES) / blake3(results, HashBenchmark.SCALAR_BYTES);
    out.printf(
        "blake3, %,d bytes / %,d bytes: %.2f (bound %s)%n",
        HashBenchmark.WIDE_BYTES, HashBenchmark.SCALAR_BYTES, ratio, verdict(ratio, WIDE_BOUND));
  }

  /** Prints what a core decodes. */
  static void decode(PrintStream out) throws IOException {
    Collection<RunResult> results = run(DecodeBenchmark.class, out);
    out.printf(DECODE_ROW, "encoding", "library", "ours", "ours / library", "bound");
    out.printf(DECODE_ROW, "---", "---:", "---:", "---:", "---");
    for (EncodedSample sample : EncodedSample.values()) {
      double library = figure(results, "library", "sample", sample.name());
      double ours = figure(results, "ours", "sample", sample.name());
      out.printf(
          DECODE_ROW,
          sample.name().toLowerCase(Locale.ROOT),
          speed(library * DecodeBenchmark.DECODED_BYTES),
          speed(ours * DecodeBenchmark.DECODED_BYTES),
          "%.2f".formatted(ours / library),
          verdict(ours / library, LIBRARY_BOUND));
    }
    inflate(out);
  }

  /** Prints what a core inflates, by each library that is there. */
  private static void inflate(PrintStream out) throws IOException {
    List<InflaterLibrary> libraries =
        Stream.of(InflaterLibrary.values()).filter(InflaterLibrary::present).toList();
    List<RunResult> results = new ArrayList<>();
    for (InflaterLibrary library : libraries) {
      String[] samples = InflateBenchmark.Sample.of(library).map(Enum::name).toArray(String[]::new);
      results.addAll(
          run(
              InflateBenchmark.class,
              out,
              options -> options.param("library", library.name()).param("sample", samples)));
    }
    out.printf(INFLATE_ROW, "inflater", "of", "library", "ours", "ours / library", "bound");
    out.printf(INFLATE_ROW, "---", "---", "---:", "---:", "---:", "---");
    libraries.forEach(library ->
        InflateBenchmark.Sample.of(library)
            .forEach(sample -> printInflated(out, results, library, sample)));
  }

  /** One line; the bound is for the library that is used on this host. */
  private static void printInflated(
      PrintStream out,
      Collection<RunResult> results,
      InflaterLibrary library,
      InflateBenchmark.Sample sample) {
    double alone = figure(results, "alone", "library", library.name(), sample);
    double ours = figure(results, "ours", "library", library.name(), sample);
    out.printf(
        INFLATE_ROW,
        library,
        sample.name().toLowerCase(Locale.ROOT),
        speed(alone * sample.lengthBytes()),
        speed(ours * sample.lengthBytes()),
        "%.2f".formatted(ours / alone),
        library == InflaterLibrary.fastest() ? verdict(ours / alone, LIBRARY_BOUND) : "");
  }

  private static Collection<RunResult> run(Class<?> benchmark, PrintStream out) throws IOException {
    return run(benchmark, out, options -> options);
  }

  private static Collection<RunResult> run(
      Class<?> benchmark, PrintStream out, UnaryOperator<ChainedOptionsBuilder> more)
      throws IOException {
    System.setProperty(NO_LOCK, "true");
    out.println(Host.description());
    out.println("load average before: " + Host.load());
    try {
      return new Runner(
              more.apply(
                      new OptionsBuilder()
                          .include("^" + benchmark.getName().replace(".", "\\.") + "\\.")
                          .mode(Mode.SampleTime)
                          .timeUnit(TimeUnit.SECONDS)
                          .forks(FORKS)
                          .warmupIterations(ITERATIONS)
                          .warmupTime(ITERATION)
                          .measurementIterations(ITERATIONS)
                          .measurementTime(ITERATION)
                          .shouldFailOnError(true)
                          .verbosity(VerboseMode.SILENT))
                  .build())
          .run();
    } catch (RunnerException e) {
      throw new IOException(benchmark.getSimpleName() + ": JMH could not run it", e);
    }
  }

  private static double blake3(Collection<RunResult> results, int lengthBytes) {
    String length = Integer.toString(lengthBytes);
    return figure(results, "blake3", "lengthBytes", length) * lengthBytes;
  }

  private static double figure(
      Collection<RunResult> results,
      String name,
      String parameter,
      String value,
      InflateBenchmark.Sample sample) {
    return figure(
        results.stream()
            .filter(result -> result.getParams().getParam("sample").equals(sample.name()))
            .toList(),
        name,
        parameter,
        value);
  }

  /** Calls a second of the benchmark of that name and parameter. */
  private static double figure(
      Collection<RunResult> results, String name, String parameter, String value) {
    return results.stream()
        .filter(result -> result.getParams().getBenchmark().endsWith("." + name))
        .filter(result -> result.getParams().getParam(parameter).equals(value))
        .mapToDouble(
            result -> 1 / result.getPrimaryResult().getStatistics().getPercentile(PERCENTILE))
        .findFirst()
        .orElseThrow(() -> new AssertionError("JMH did not run " + name + " of " + value));
  }

  private static String speed(double bytesPerSecond) {
    return "%.0f MB/s".formatted(bytesPerSecond / MEGA);
  }

  private static String verdict(double ratio, double bound) {
    return "≥ %.1f %s".formatted(bound, ratio >= bound ? "met" : "MISSED");
  }
}
