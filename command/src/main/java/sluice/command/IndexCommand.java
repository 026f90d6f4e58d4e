package sluice.command;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code sluice index}: indexes by which ordinary layers are served before they are there. */
@Command(
    name = "index",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      IndexCreateCommand.class,
      IndexListCommand.class,
      IndexPushCommand.class,
      IndexShowCommand.class
    },
    description = {
      "Makes, pushes and shows indexes of ordinary layers.",
      "",
      "By an index an image of gzip or plain tar layers starts before it is there, although nobody"
          + " has converted it. They are SOCI indexes, version 1: the image stays as it is, the"
          + " index lies beside it in the registry."
    },
    footer = {
      "",
      "A node uses an index of the registry only if its trust.referrers names the registry, or a key"
          + " that has signed the index."
    })
final class IndexCommand implements Runnable {

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "which command?");
  }
}
