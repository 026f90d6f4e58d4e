package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import sluice.formats.soci.IndexList;
import sluice.formats.soci.ListedIndex;

/** {@code sluice index list}. */
@Command(
    name = "list",
    mixinStandardHelpOptions = true,
    description = {
      "Lists the indexes that an image has in its registry.",
      "",
      "That is the one which its manifest names, and those that refer to it; and whether this node"
          + " would use them, or why not."
    })
final class IndexListCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private IndexOptions options = new IndexOptions();

  /**
   * An index, and what is held of it here.
   *
   * @param distrust why it is not used; empty if it is
   */
  private record Row(ListedIndex index, long covered, String distrust) {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    Trust trust = Trust.of(options.config());
    try (Progress progress = Progress.on("looking");
        IndexedImage image = options.open(progress)) {
      List<Row> rows = new ArrayList<>();
      for (ListedIndex index : new IndexList(image.places()).of(image.image())) {
        rows.add(new Row(index, image.covered(index), image.distrust(index, trust)));
      }
      PrintWriter out = spec.commandLine().getOut();
      out.println(options.json() ? json(image, rows).text() : text(image, rows));
      out.flush();
    }
    return 0;
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
      lines.add(row.distrust.isEmpty() ? "    trusted" : "    not used: " + row.distrust);
    }
    return String.join(System.lineSeparator(), lines);
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
        .with("trusted", row.distrust.isEmpty())
        .with("reason", row.distrust)
        .members();
  }
}
