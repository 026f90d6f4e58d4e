package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import sluice.api.control.PruneCacheResponse;
import sluice.api.control.PrunedDevice;

/** {@code sluice cache prune}. */
@Command(
    name = "prune",
    mixinStandardHelpOptions = true,
    description = {
      "Deletes what no snapshot needs, as containerd has Sluice do after it removed images.",
      "Nothing needs what `sluice mount` left in a root of its own."
    })
final class CachePruneCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private CacheAccess access = new CacheAccess();

  @Option(names = "--dry-run", description = "Only say what would be deleted.")
  private boolean dryRun;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Override
  public Integer call() throws IOException, InterruptedException {
    PruneCacheResponse pruned;
    String where;
    try (CacheAccess.Opened opened = access.open()) {
      where = opened.where();
      pruned = opened.cache().prune(dryRun);
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println(json ? json(pruned, where).text() : text(pruned, where));
    out.flush();
    return 0;
  }

  private String text(PruneCacheResponse pruned, String where) {
    StringJoiner lines = new StringJoiner(System.lineSeparator());
    for (PrunedDevice device : pruned.getDevicesList()) {
      lines.add(
          "%s  %10s  blob %s"
              .formatted(
                  CacheView.shortened(device.getId()),
                  Sizes.text(device.getOccupiedBytes()),
                  device.getBlob()));
    }
    return lines
        .add(
            "%s %s: %d devices, %d layers (%s)"
                .formatted(
                    dryRun ? "would free" : "freed",
                    Sizes.text(bytes(pruned)),
                    pruned.getDevicesCount(),
                    pruned.getLayers(),
                    where))
        .toString();
  }

  private Json json(PruneCacheResponse pruned, String where) {
    return new Json()
        .with("cache", where)
        .with("dryRun", dryRun)
        .with(
            "devices",
            pruned.getDevicesList().stream()
                .map(device ->
                    new Json()
                        .with("id", device.getId())
                        .with("blob", device.getBlob())
                        .with("occupiedBytes", device.getOccupiedBytes())
                        .members())
                .toList())
        .with("layers", pruned.getLayers())
        .with("freedBytes", bytes(pruned));
  }

  private static long bytes(PruneCacheResponse pruned) {
    return pruned.getDevicesList().stream().mapToLong(PrunedDevice::getOccupiedBytes).sum();
  }
}
