package sluice.command.convert;

import java.io.Console;
import java.util.Optional;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Draws a bar on the terminal for each phase; the bar is gone when its phase is over. */
public final class TerminalProgress implements ConversionProgress {

  private static final int UPDATE_MILLIS = 200;
  private static final long MEGABYTE = 1_000_000;

  /** Bars on standard error if a person looks at this process, else none. */
  public static ConversionProgress ifInteractive() {
    return Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent()
        ? new TerminalProgress()
        : NONE;
  }

  private TerminalProgress() {}

  @Override
  public Phase begin(String name, long totalBytes) {
    return new Bar(
        new ProgressBarBuilder()
            .setTaskName(name)
            .setInitialMax(totalBytes)
            .setUnit(" MB", MEGABYTE)
            .setStyle(ProgressBarStyle.ASCII)
            .setUpdateIntervalMillis(UPDATE_MILLIS)
            .setConsumer(new ConsoleProgressBarConsumer(System.err))
            .clearDisplayOnFinish()
            .build());
  }

  private record Bar(ProgressBar bar) implements Phase {
    @Override
    public void reached(long doneBytes) {
      bar.stepTo(doneBytes);
    }

    @Override
    public void close() {
      bar.close();
    }
  }
}
