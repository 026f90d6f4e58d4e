package sluice.formats.inflate;

import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The inflaters that there may be, the fastest first ({@code bin/benchmark decode} measures them).
 * What is there is found out once, at the first question. Safe for use by many threads.
 */
public enum InflaterLibrary {
  /** Intel's library: 1.7 times as fast as the others, where its assembler knows the processor. */
  ISAL(Isal.NAME),
  /** Part of each JDK. */
  JDK("the JDK's zlib"),
  /** The only one that stops at block ends, which {@link CheckpointPass} needs. */
  LIBZ(Libz.NAME);

  private final String label;

  InflaterLibrary(String label) {
    this.label = label;
  }

  /** Which one decodes layers and chunks on this host. */
  public static InflaterLibrary fastest() {
    return Stream.of(values()).filter(InflaterLibrary::present).findFirst().orElse(JDK);
  }

  /** Whether it can be used. */
  public boolean present() {
    return problem() == null;
  }

  /** Why it can't be used; null if it can. */
  public @Nullable String problem() {
    return switch (this) {
      case ISAL -> Probe.ISAL_PROBLEM;
      case LIBZ -> Probe.LIBZ_PROBLEM;
      case JDK -> null;
    };
  }

  /**
   * Makes an inflater, which the caller owns and closes.
   *
   * @throws IllegalStateException if the library is not {@link #present}
   */
  public RawInflater open() {
    String problem = problem();
    if (problem != null) {
      throw new IllegalStateException(problem);
    }
    return switch (this) {
      case ISAL -> new IsalInflater();
      case LIBZ -> new LibzInflater();
      case JDK -> new JdkInflater();
    };
  }

  /** What people call it. */
  @Override
  public String toString() {
    return label;
  }

  /** What was found on this host. */
  private static final class Probe {
    static final @Nullable String ISAL_PROBLEM = InflaterProbe.problem(ISAL, IsalInflater::new);
    static final @Nullable String LIBZ_PROBLEM = InflaterProbe.problem(LIBZ, LibzInflater::new);

    private Probe() {}
  }
}
