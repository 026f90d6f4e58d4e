package sluice.command;

import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import sluice.command.config.Config;

/** {@code sluice}: the names of the commands, and how failures are told. */
@Command(
    name = "sluice",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND",
    description = "Starts containers before their images are there.",
    subcommands = {
      CacheCommand.class,
      ConvertCommand.class,
      DoctorCommand.class,
      InspectCommand.class,
      MountCommand.class,
      PullCommand.class,
      ServeCommand.class,
      StatusCommand.class,
      CommandLine.HelpCommand.class
    })
final class SluiceCommand implements Runnable {

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Log what happens, and show where a failure came from.")
  private boolean debug;

  private final StopSignal stop = new StopSignal();

  StopSignal stop() {
    return stop;
  }

  boolean debug() {
    return debug;
  }

  /** Runs the command: 0 done, 1 failed, 2 wrong usage. */
  static int run(String... args) {
    SluiceCommand command = new SluiceCommand();
    CommandLine line =
        new CommandLine(command)
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setExecutionStrategy(parsed -> {
              Logging.configure(command.debug ? Config.LogLevel.DEBUG : Config.LogLevel.WARN);
              return new CommandLine.RunLast().execute(parsed);
            })
            .setExecutionExceptionHandler((failure, commandLine, parsed) -> {
              PrintWriter err = commandLine.getErr();
              if (command.debug) {
                failure.printStackTrace(err);
              }
              err.println("sluice: " + Failure.sentence(failure));
              err.flush();
              return CommandLine.ExitCode.SOFTWARE;
            });
    int code = line.execute(args);
    command.stop.finish(code);
    return code;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "which command? See sluice --help");
  }
}
