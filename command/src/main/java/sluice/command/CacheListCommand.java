package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import sluice.api.control.CacheDevice;

/** {@code sluice cache list}. */
@Command(
    name = "list",
    mixinStandardHelpOptions = true,
    description = {
      "Lists the devices of the cache: one for each blob that images read from.",
      "DATA is what the blob's files hold, PRESENT what of it was fetched, USED when its data was"
          + " last fetched or read from disk."
    })
final class CacheListCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private CacheAccess access = new CacheAccess();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Override
  public Integer call() throws IOException, InterruptedException {
    return list(access, json, spec.commandLine().getOut());
  }

  static int list(CacheAccess access, boolean json, PrintWriter out)
      throws IOException, InterruptedException {
    List<CacheDevice> devices = new ArrayList<>();
    try (CacheAccess.Opened opened = access.open()) {
      opened.cache().list(devices::add);
      CacheView view = new CacheView(opened.where(), devices);
      out.println(json ? view.json().text() : view.text());
    }
    out.flush();
    return 0;
  }
}
