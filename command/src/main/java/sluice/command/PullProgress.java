package sluice.command;

import java.io.Closeable;
import java.io.Console;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;
import sluice.snapshotter.image.ResolvedImage;
import sluice.snapshotter.pull.PullListener;
import sluice.snapshotter.pull.PulledLayer;

/** Shows on the terminal how a pull goes; shows nothing where there is none. */
final class PullProgress implements PullListener, Closeable {

  private static final int UPDATE_MILLIS = 200;

  private @Nullable ProgressBar bar;
  private int layers;
  private long doneBytes;

  @Override
  public void resolved(ResolvedImage image) {
    layers = image.image().layerCount();
    // There is none when a script calls, since JDK 25 again.
    if (Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent()) {
      bar =
          new ProgressBarBuilder()
              .setTaskName("pull")
              .setInitialMax(image.image().sizeBytes())
              .setUnit(" MiB", 1 << 20)
              .setUpdateIntervalMillis(UPDATE_MILLIS)
              .clearDisplayOnFinish()
              .build();
    }
  }

  @Override
  public void asked(PulledLayer.Name layer) {
    show("layer %d of %d".formatted(layer.number(), layers), doneBytes);
  }

  @Override
  public void received(PulledLayer.Name layer, long lengthBytes) {
    ProgressBar shown = bar;
    if (shown != null) {
      shown.stepBy(lengthBytes);
    }
  }

  @Override
  public void done(PulledLayer layer) {
    doneBytes += layer.name().descriptor().sizeBytes();
    show("layer %d of %d".formatted(layer.name().number(), layers), doneBytes);
  }

  private void show(String message, long bytes) {
    ProgressBar shown = bar;
    if (shown != null) {
      shown.setExtraMessage(message).stepTo(bytes);
    }
  }

  @Override
  public void close() {
    ProgressBar shown = bar;
    if (shown != null) {
      shown.close();
    }
  }
}
