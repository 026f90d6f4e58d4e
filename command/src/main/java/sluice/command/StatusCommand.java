package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import sluice.api.control.StatusResponse;

/** {@code sluice status}: what the running daemon serves. */
@Command(
    name = "status",
    mixinStandardHelpOptions = true,
    description = "Says what the running daemon serves, what it fetched, and what went wrong.")
final class StatusCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private DaemonOptions daemon = new DaemonOptions();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    StatusResponse status = ControlClient.status(daemon.config().address());
    PrintWriter out = spec.commandLine().getOut();
    StatusView view = new StatusView(status, Instant.now());
    out.println(json ? view.json().text() : view.text());
    out.flush();
    return 0;
  }
}
