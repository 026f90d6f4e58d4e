package sluice.command;

import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;
import sluice.command.config.Config;
import sluice.fuse.Transport;

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
      IndexCommand.class,
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
            .registerConverter(Config.Driver.class, text -> choice(Config.Driver.class, text))
            .registerConverter(Transport.class, text -> choice(Transport.class, text))
            .setExecutionStrategy(parsed -> {
              Logging.configure(command.debug ? Config.LogLevel.DEBUG : Config.LogLevel.WARN);
              requireCommands(parsed);
              return new CommandLine.RunLast().execute(parsed);
            })
            .setParameterExceptionHandler((wrong, words) -> wrongUsage(wrong))
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

  /** picocli's own message would have the names of Java. */
  private static <E extends Enum<E>> E choice(Class<E> type, String text) {
    List<E> choices = List.of(type.getEnumConstants());
    return choices.stream()
        .filter(choice -> choice.toString().equalsIgnoreCase(text))
        .findFirst()
        .orElseThrow(() ->
            new TypeConversionException(
                "expected one of %s, found \"%s\"".formatted(choices, text)));
  }

  /** Asked for help, picocli would pass over a word that is no command. */
  private static void requireCommands(CommandLine.ParseResult parsed) {
    if (!parsed.commandSpec().subcommands().isEmpty() && !parsed.unmatched().isEmpty()) {
      throw new UnmatchedArgumentException(parsed.commandSpec().commandLine(), parsed.unmatched());
    }
    if (parsed.hasSubcommand()) {
      requireCommands(parsed.subcommand());
    }
  }

  private static int wrongUsage(ParameterException wrong) {
    CommandLine at = wrong.getCommandLine();
    PrintWriter err = at.getErr();
    List<String> meant =
        wrong instanceof UnmatchedArgumentException unmatched
            ? unmatched.getSuggestions()
            : List.of();
    err.println(
        "sluice: "
            + Failure.sentence(wrong)
            + (meant.isEmpty() ? "" : "; did you mean %s?".formatted(String.join(" or ", meant))));
    err.println("see `" + at.getCommandSpec().qualifiedName() + " --help`");
    err.flush();
    return CommandLine.ExitCode.USAGE;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "which command?");
  }
}
