package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code sluice cache check}. */
@Command(
    name = "check",
    mixinStandardHelpOptions = true,
    description = {
      "Hashes again what is in the cache. A chunk that is not what its digest says is named and"
          + " dropped: the next read fetches it again.",
      "Exit code 0 if all is sound, 1 if something was wrong."
    })
final class CacheCheckCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();
  @ParentCommand private CacheCommand cache = new CacheCommand();
  @Mixin private CacheAccess access = new CacheAccess();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Override
  public Integer call() throws IOException, InterruptedException {
    CheckSummary summary = cache.stop().during(this::check);
    PrintWriter out = spec.commandLine().getOut();
    out.println(json ? summary.json().text() : summary.text());
    out.flush();
    return summary.sound() ? 0 : 1;
  }

  private CheckSummary check() throws IOException, InterruptedException {
    try (CacheAccess.Opened opened = access.open();
        Progress progress = Progress.on("checking")) {
      CheckSummary summary = new CheckSummary(opened.where());
      opened
          .cache()
          .check(event -> {
            switch (event.getEventCase()) {
              case PRESENT_BYTES -> progress.outOf(event.getPresentBytes());
              case DONE_BYTES -> progress.step(event.getDoneBytes());
              case BAD -> summary.add(event.getBad());
              case CHECKED -> summary.add(event.getChecked());
              // What a newer daemon may say besides.
              case EVENT_NOT_SET -> {}
            }
          });
      return summary;
    }
  }
}
