package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import sluice.api.control.StatusResponse;
import sluice.command.config.ConfigFile;

/** {@code sluice status}: what the running daemon serves. */
@Command(
    name = "status",
    mixinStandardHelpOptions = true,
    description = "Says what the running daemon serves, what it fetched, and what went wrong.")
final class StatusCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--address",
      paramLabel = "SOCKET",
      description = "The daemon's socket. Default: what the configuration says.")
  private @Nullable Path address;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    Path socket = address == null ? ConfigFile.readDefault().address() : address;
    StatusResponse status = ControlClient.status(socket.toAbsolutePath());
    PrintWriter out = spec.commandLine().getOut();
    StatusView view = new StatusView(status, Instant.now());
    out.println(json ? view.json().text() : view.text());
    out.flush();
    return 0;
  }
}
