package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import sluice.command.config.ConfigFile;
import sluice.core.Digest;
import sluice.formats.soci.IndexList;
import sluice.formats.soci.ListedIndex;

/** {@code sluice index list}. */
@Command(
    name = "list",
    mixinStandardHelpOptions = true,
    description = {
      "Lists the indexes that an image has.",
      "",
      "That is the one which its manifest names, and those that refer to it in its registry; and"
          + " whether this node trusts them, or why not. Those that were made here come last, until"
          + " they are pushed. What a node would serve the image by, `sluice inspect` says."
    })
final class IndexListCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private IndexOptions options = new IndexOptions();

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "Says which indexes are trusted. Default: /etc/sluice/config.toml, if it is there.")
  private @Nullable Path file;

  /**
   * An index, and what is held of it here.
   *
   * @param pushed whether it is in the image's registry
   * @param distrust why this node does not trust it; empty if it does
   */
  private record Row(ListedIndex index, long covered, boolean pushed, String distrust) {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    Trust trust = Trust.of(file == null ? ConfigFile.readDefault() : ConfigFile.read(file));
    try (Progress progress = Progress.on("looking");
        IndexedImage image = options.open(progress)) {
      List<Row> rows = new ArrayList<>();
      for (ListedIndex index : new IndexList(image.places()).of(image.image())) {
        rows.add(new Row(index, image.covered(index), true, image.distrust(index, trust)));
      }
      rows.addAll(unpushed(image, rows));
      PrintWriter out = spec.commandLine().getOut();
      out.println(options.json() ? json(image, rows).text() : text(image, rows));
      out.flush();
    }
    return 0;
  }

  /** Those that were made here, and are not in the registry. */
  private List<Row> unpushed(IndexedImage image, List<Row> pushed)
      throws IOException, InterruptedException {
    Set<Digest> known =
        pushed.stream().map(row -> row.index.manifest()).collect(Collectors.toUnmodifiableSet());
    return options.layout().list(image.resolved()).stream()
        .filter(index -> !known.contains(index.manifest()))
        .map(index -> new Row(index, image.covered(index), false, "it is not pushed"))
        .toList();
  }

  private static String text(IndexedImage image, List<Row> rows) {
    List<String> lines = new ArrayList<>();
    lines.add("image     " + image.resolved().reference());
    lines.add("manifest  " + image.manifest().digest());
    lines.add("indexes   " + (rows.isEmpty() ? "none: sluice index create, push" : rows.size()));
    for (Row row : rows) {
      ListedIndex index = row.index;
      lines.add(
          "%n%s  %s  %s%n    %d of %d layers, %s"
              .formatted(
                  index.manifest(),
                  index.version(),
                  index.tool().isEmpty() ? "-" : '"' + index.tool() + '"',
                  row.covered,
                  image.manifest().layerCount(),
                  Sizes.text(index.sizeBytes())));
      lines.add("    " + state(image, row));
    }
    return String.join(System.lineSeparator(), lines);
  }

  private static String state(IndexedImage image, Row row) {
    if (!row.pushed) {
      return "here, not pushed: sluice index push " + image.resolved().reference();
    }
    return row.distrust.isEmpty() ? "trusted" : "not trusted: " + row.distrust;
  }

  /** The keys that scripts rely on; sizes in bytes. */
  private static Json json(IndexedImage image, List<Row> rows) {
    return new Json()
        .with("image", image.resolved().reference().toString())
        .with("manifest", image.manifest().digest().toString())
        .with("layers", image.manifest().layerCount())
        .with("indexes", rows.stream().map(IndexListCommand::row).toList());
  }

  private static Map<String, Object> row(Row row) {
    ListedIndex index = row.index;
    return new Json()
        .with("digest", index.manifest().toString())
        .with("version", index.version())
        .with("tool", index.tool())
        .with("layers", index.layers().stream().map(of -> of.layer().toString()).toList())
        .with("coveredLayers", row.covered)
        .with("sizeBytes", index.sizeBytes())
        .with("pushed", row.pushed)
        .with("trusted", row.distrust.isEmpty())
        .with("reason", row.distrust)
        .members();
  }
}
