package sluice.command;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code sluice cache}: what is in the chunk cache; other verbs are commands of their own. */
@Command(
    name = "cache",
    mixinStandardHelpOptions = true,
    subcommands = {CacheListCommand.class, CacheCheckCommand.class, CachePruneCommand.class},
    description = {
      "Lists, checks and prunes the chunk cache. Without a command: list.",
      "",
      "The running daemon is asked; without one the root directory is opened, unless somebody else"
          + " has it open."
    })
final class CacheCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();
  @ParentCommand private SluiceCommand sluice = new SluiceCommand();
  @Mixin private CacheAccess access = new CacheAccess();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  StopSignal stop() {
    return sluice.stop();
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    return CacheListCommand.list(access, json, spec.commandLine().getOut());
  }
}
