package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import sluice.command.convert.WorkDirectory;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.Repository;
import sluice.formats.soci.IndexList;
import sluice.formats.soci.ListedIndex;
import sluice.formats.soci.Ztoc;

/** {@code sluice index show}. */
@Command(
    name = "show",
    mixinStandardHelpOptions = true,
    description = {
      "Shows what an index of an image says.",
      "",
      "For each layer that is how many spans and entries it has, and with --layer the first of them."
          + " Takes the first index of the registry that can be read, else the latest that was made"
          + " here."
    })
final class IndexShowCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private IndexOptions options = new IndexOptions();

  @Option(names = "--index", paramLabel = "DIGEST", description = "Which index, as list names it.")
  private @Nullable String wanted;

  @Option(
      names = "--layer",
      paramLabel = "DIGEST",
      description = "Show spans and entries of this layer; the first digits are enough.")
  private @Nullable String layer;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "How many spans and entries are shown. Default: ${DEFAULT-VALUE}.")
  private int limit = 20;

  /** An index, and where it is. */
  private record Place(ListedIndex index, Repository repository) {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (limit < 0) {
      throw new ParameterException(spec.commandLine(), "--limit: 0 or more, found " + limit);
    }
    try (Progress progress = Progress.on("fetching");
        IndexedImage image = options.open(progress);
        WorkDirectory work = WorkDirectory.create(options.root())) {
      Place place = choose(image);
      List<IndexView.Layer> layers = new ArrayList<>();
      for (ListedIndex.OfLayer of : place.index.layers()) {
        if (isWanted(of.layer())) {
          layers.add(IndexView.layer(of, read(image, place, of.ztoc(), work.path())));
        }
      }
      if (layers.isEmpty()) {
        throw new IOException(
            "index %s has no layer %s; it has %s"
                .formatted(
                    place.index.manifest(),
                    layer,
                    place.index.layers().stream().map(ListedIndex.OfLayer::layer).toList()));
      }
      IndexView view =
          new IndexView(
              image.resolved().reference(),
              place.index,
              place.repository,
              layers,
              layer == null ? 0 : limit);
      PrintWriter out = spec.commandLine().getOut();
      out.println(options.json() ? view.json().text() : view.text());
      out.flush();
    }
    return 0;
  }

  private boolean isWanted(Digest digest) {
    String start = layer;
    return start == null || digest.toString().startsWith(start) || digest.hex().startsWith(start);
  }

  private Place choose(IndexedImage image) throws IOException, InterruptedException {
    List<Place> places = new ArrayList<>();
    Repository own = image.resolved().reference().repository();
    List<ListedIndex> pushed = new IndexList(image.places()).of(image.image());
    pushed.forEach(index -> places.add(new Place(index, own)));
    Repository kept = options.layout().repository();
    options.layout().list(image.resolved()).forEach(index -> places.add(new Place(index, kept)));
    Optional<Place> chosen =
        places.stream()
            .filter(place ->
                wanted == null
                    ? place.index.problem().isEmpty()
                    : place.index.manifest().toString().equals(wanted))
            .findFirst();
    if (chosen.isEmpty()) {
      throw new IOException(
          "%s has no %s: %s; `sluice index create` makes one"
              .formatted(
                  image.resolved().reference(),
                  wanted == null ? "index that can be read" : "index " + wanted,
                  places.isEmpty()
                      ? "there is none"
                      : places.stream()
                          .map(place -> place.index.manifest() + " " + place.index.problem())
                          .toList()));
    }
    if (!chosen.get().index.problem().isEmpty()) {
      throw new IOException(
          "index %s: %s".formatted(chosen.get().index.manifest(), chosen.get().index.problem()));
    }
    return chosen.get();
  }

  private static Ztoc read(IndexedImage image, Place place, Descriptor ztoc, Path work)
      throws IOException, InterruptedException {
    Path scratch = work.resolve("ztoc");
    Files.deleteIfExists(scratch);
    return IndexList.fetch(image.places(), place.repository, ztoc, scratch);
  }
}
