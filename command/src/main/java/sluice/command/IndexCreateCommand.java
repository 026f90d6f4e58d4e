package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import sluice.command.convert.WorkDirectory;
import sluice.command.index.IndexCreation;
import sluice.command.index.MadeIndex;
import sluice.core.Digest;
import sluice.formats.soci.ZtocRecorder;

/** {@code sluice index create}. */
@Command(
    name = "create",
    mixinStandardHelpOptions = true,
    description = {
      "Makes an index of an image.",
      "",
      "Streams each layer once, verifies it, and keeps its table of contents and where a decoder can"
          + " begin, and nothing else of it. `sluice index push` pushes the index."
    },
    exitCodeListHeading = "%nIt ends with:%n",
    exitCodeList = {
      "0:The index has all layers.",
      "1:No index was made.",
      "2:The command line is wrong.",
      "3:The index was made, but layers are not in it; the output says which and why."
    })
final class IndexCreateCommand implements Callable<Integer> {

  /** Each span of gzip has a window of 32 KiB in the index. */
  private static final long MIN_SPAN_BYTES = 64 << 10;

  /** A span is fetched and decoded whole for the first byte that is read of it. */
  private static final long MAX_SPAN_BYTES = 64 << 20;

  /** An index was made, of some of the layers. */
  static final int INCOMPLETE = 3;

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private IndexOptions options = new IndexOptions();

  @Option(
      names = "--span-size",
      paramLabel = "N",
      description = {
        "Bytes of a layer that are fetched and decoded together at least: from 65536 to 67108864.",
        "Default: ${DEFAULT-VALUE}."
      })
  private long spanBytes = ZtocRecorder.Settings.DEFAULT_SPAN_BYTES;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (spanBytes < MIN_SPAN_BYTES || spanBytes > MAX_SPAN_BYTES) {
      throw new ParameterException(
          spec.commandLine(),
          "--span-size: a number from %d to %d is expected, found %d"
              .formatted(MIN_SPAN_BYTES, MAX_SPAN_BYTES, spanBytes));
    }
    try (Progress progress = Progress.on("indexing");
        IndexedImage image = options.open(progress)) {
      IndexCreation.Result made = create(image, options, spanBytes, progress);
      PrintWriter out = spec.commandLine().getOut();
      out.println(options.json() ? json(image, made).text() : text(image, made));
      out.flush();
      return made.without().isEmpty() ? CommandLine.ExitCode.OK : INCOMPLETE;
    }
  }

  /** Makes an index and keeps it in the layout of the options. */
  static IndexCreation.Result create(
      IndexedImage image, IndexOptions options, long spanBytes, Progress progress)
      throws IOException, InterruptedException {
    progress.outOf(image.manifest().sizeBytes());
    try (WorkDirectory work = WorkDirectory.create(options.root())) {
      IndexCreation.Result made =
          new IndexCreation(image.places(), "Sluice " + Version.text(), spanBytes)
              .create(image.resolved(), work.path());
      options.layout().keep(made.index());
      return made;
    }
  }

  private String text(IndexedImage image, IndexCreation.Result made) {
    StringBuilder text = new StringBuilder();
    for (MadeIndex.OfLayer of : made.layers()) {
      text.append(
          "%s  %10s  zTOC %s%n"
              .formatted(
                  of.layer().digest(),
                  Sizes.text(of.layer().sizeBytes()),
                  Sizes.text(of.ztoc().descriptor().sizeBytes())));
    }
    for (Map.Entry<Digest, String> without : made.without().entrySet()) {
      text.append("%s  no zTOC: %s%n".formatted(without.getKey(), without.getValue()));
    }
    return text
        + "index %s is in %s; to push it: sluice index push %s"
            .formatted(
                made.index().manifest().descriptor().digest(),
                options.layout().repository(),
                image.resolved().reference());
  }

  /** The keys that scripts rely on; sizes in bytes. */
  private Json json(IndexedImage image, IndexCreation.Result made) {
    return new Json()
        .with("image", image.resolved().reference().toString())
        .with("manifest", image.manifest().digest().toString())
        .with("index", made.index().manifest().descriptor().digest().toString())
        .with("layout", options.layout().repository().directory().toString())
        .with("sizeBytes", made.index().sizeBytes())
        .with(
            "layers",
            made.layers().stream()
                .map(of ->
                    new Json()
                        .with("digest", of.layer().digest().toString())
                        .with("ztoc", of.ztoc().descriptor().digest().toString())
                        .with("ztocBytes", of.ztoc().descriptor().sizeBytes())
                        .members())
                .toList())
        .with(
            "without",
            made.without().entrySet().stream()
                .map(each ->
                    new Json()
                        .with("digest", each.getKey().toString())
                        .with("reason", each.getValue())
                        .members())
                .toList());
  }
}
