package sluice.benchmarks;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** What was measured, round by round. For one thread. */
final class Figures {

  private static final String ROW = "| %-30s | %12s | %12s | %12s | %11s | %11s | %-12s |%n";

  private final Map<Measure, Map<Target, List<Double>>> samples = new EnumMap<>(Measure.class);

  void add(Measure measure, Target target, double figure) {
    samples
        .computeIfAbsent(measure, m -> new EnumMap<>(Target.class))
        .computeIfAbsent(target, t -> new ArrayList<>())
        .add(figure);
  }

  /** Forgets everything: what was measured so far was to warm up. */
  void clear() {
    samples.clear();
  }

  /** Prints medians and how they relate to the plain directory's, as a table in Markdown. */
  void print(PrintStream out) {
    out.printf(ROW, "median", "plain", "raw", "jnr", "raw / plain", "jnr / plain", "bound (raw)");
    out.printf(ROW, "---", "---:", "---:", "---:", "---:", "---:", "---");
    samples.forEach((measure, figures) -> {
      double plain = median(figures, Target.PLAIN);
      double raw = median(figures, Target.RAW);
      double jnr = median(figures, Target.JNR);
      out.printf(
          ROW,
          measure.label(),
          measure.unit().format(plain),
          measure.unit().format(raw),
          measure.unit().format(jnr),
          "%.2f".formatted(raw / plain),
          "%.2f".formatted(jnr / plain),
          measure.verdict(raw / plain));
    });
  }

  private static double median(Map<Target, List<Double>> figures, Target target) {
    List<Double> sorted = figures.getOrDefault(target, List.of()).stream().sorted().toList();
    if (sorted.isEmpty()) {
      return Double.NaN;
    }
    int half = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(half)
        : (sorted.get(half - 1) + sorted.get(half)) / 2;
  }
}
