package sluice.command;

import java.io.Console;
import java.time.Duration;
import java.util.Optional;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;
import sluice.cache.CacheListener;
import sluice.core.FetchException;
import sluice.core.Lane;
import sluice.registry.FetchListener;

/**
 * Bytes that come in or are gone through, as a bar on stderr if that is a terminal. Closing it
 * twice is harmless.
 */
final class Progress implements AutoCloseable {

  private static final long MIB = 1 << 20;

  private final @Nullable ProgressBar bar;

  private Progress(@Nullable ProgressBar bar) {
    this.bar = bar;
  }

  /** Shows progress of {@code task}, of an unknown length. */
  static Progress on(String task) {
    if (Optional.ofNullable(System.console()).filter(Console::isTerminal).isEmpty()) {
      return new Progress(null);
    }
    return new Progress(
        new ProgressBarBuilder()
            .setTaskName(task)
            .setInitialMax(-1)
            .setUnit(" MiB", MIB)
            .setConsumer(new ConsoleProgressBarConsumer(System.err))
            .clearDisplayOnFinish()
            .build());
  }

  /** What an engine tells to have it shown. */
  Engine.Listeners listeners() {
    return new Engine.Listeners(
        new FetchListener() {
          @Override
          public void answered(Lane lane, int status, Duration latency) {}

          @Override
          public void received(Lane lane, long lengthBytes) {
            step(lengthBytes);
          }

          @Override
          public void failed(Lane lane, FetchException.Reason reason) {}
        },
        CacheListener.NONE);
  }

  /** Says how much there is in all. */
  void outOf(long bytes) {
    if (bar != null) {
      bar.maxHint(bytes);
    }
  }

  /** So much more is done. */
  void step(long bytes) {
    if (bar != null) {
      bar.stepBy(bytes);
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
