package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
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
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import sluice.command.config.Config;
import sluice.command.config.ConfigFile;
import sluice.core.Descriptor;
import sluice.core.ImageReference;
import sluice.core.IndexOrigin;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.registry.FetchListener;
import sluice.registry.OciLayout;
import sluice.registry.RegistryClient;
import sluice.registry.RegistryConfig;
import sluice.snapshotter.image.ImageManifest;
import sluice.snapshotter.image.ImageResolver;
import sluice.snapshotter.image.LayerChoice;
import sluice.snapshotter.image.LocalContent;
import sluice.snapshotter.image.RejectedIndexes;
import sluice.snapshotter.image.ResolvedImage;

/** {@code sluice inspect}: what an image is made of, and how each layer would be served. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    description = "Says what an image is made of, and how each of its layers would be served.")
final class InspectCommand implements Callable<Integer> {

  /** What is said of a layer that holds the tree of all layers. */
  private static final String WHOLE_IMAGE = "image";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private PlatformOption platform = new PlatformOption();

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The daemon's configuration. Default: /etc/sluice/config.toml, if it is there.")
  private @Nullable Path file;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Parameters(
      paramLabel = "IMAGE",
      converter = ReferenceConverter.class,
      description = "A registry reference, or oci:LAYOUT_DIR[:TAG].")
  private @Nullable ImageReference image;

  /** How one layer would be served: {@code reason} is empty unless it is refused. */
  record Serving(String format, String how, String reason) {}

  /**
   * What an image is, and what serves it.
   *
   * @param variantProblem why the RAFS variant is not used; empty if it is, or if there is none
   * @param servings one for each layer of the manifest that containerd uses
   */
  private record Inspected(ResolvedImage resolved, String variantProblem, List<Serving> servings) {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (image == null) {
      throw new ParameterException(spec.commandLine(), "which image?");
    }
    Config config = file == null ? ConfigFile.readDefault() : ConfigFile.read(file);
    IndexTrust trust = Trust.of(config.trust());
    try (RegistryClient registries =
        RegistryClient.open(RegistryConfig.ofProcess(), FetchListener.NONE)) {
      ImagePlaces places =
          new ImagePlaces(ImagePlaces.Place.of(new OciLayout()), ImagePlaces.Place.of(registries));
      LayerChoice choice =
          new LayerChoice(
              new Formats(places, places).all(),
              trust,
              RejectedIndexes.open(config.root().resolve("rejected.json")));
      ResolvedImage resolved =
          new ImageResolver(places, LocalContent.NONE, choice::isVariant)
              .resolve(image, platform.platform());
      Inspected inspected = inspect(resolved, choice, trust);
      PrintWriter out = spec.commandLine().getOut();
      out.println(json ? json(inspected).text() : text(inspected));
      out.flush();
    }
    return 0;
  }

  private static Inspected inspect(ResolvedImage resolved, LayerChoice choice, IndexTrust trust)
      throws IOException, InterruptedException {
    ImageManifest variant = resolved.variant();
    String problem = variant == null ? "" : problem(resolved, variant, choice, trust);
    List<Serving> servings = new ArrayList<>();
    ImageManifest image = resolved.image();
    for (int position = 0; position < image.layerCount(); position++) {
      servings.add(
          variant != null && problem.isEmpty()
              ? new Serving("rafs", "from variant " + variant.digest(), "")
              : serving(choice, image.layer(position, resolved.reference(), resolved.holders())));
    }
    return new Inspected(resolved, problem, servings);
  }

  /** Why the daemon would not serve an image from its RAFS variant; empty if it would. */
  private static String problem(
      ResolvedImage resolved, ImageManifest variant, LayerChoice choice, IndexTrust trust)
      throws IOException, InterruptedException {
    if (variant.layerCount() == 0) {
      return "it has no layers";
    }
    LayerFormat.Layer last =
        variant.layer(variant.layerCount() - 1, resolved.reference(), resolved.holders());
    Optional<String> refusal = trust.refusal(last, Binding.IMAGE);
    if (refusal.isPresent()) {
      return refusal.get();
    }
    Serving top = serving(choice, last);
    if (top.how.equals(WHOLE_IMAGE)) {
      return "";
    }
    return top.reason.isEmpty() ? "its last layer is no tree of the whole image" : top.reason;
  }

  /** What the first format says that takes the layer, or why none does. */
  static Serving serving(LayerChoice choice, LayerFormat.Layer layer) throws InterruptedException {
    List<String> refusals = new ArrayList<>();
    for (LayerChoice.Answer answer : choice.all(layer)) {
      Optional<String> how =
          switch (answer.recognition()) {
            case Recognition.Foreign() -> Optional.empty();
            case Recognition.Refused(String reason) -> {
              refusals.add(answer.format() + ": " + reason);
              yield Optional.empty();
            }
            case Recognition.Tree(LayerFormat.Indexer indexer, IndexOrigin _) ->
                Optional.of(indexer.streams() ? "streamed" : "tree");
            case Recognition.ImageTree(LayerFormat.Indexer _, IndexOrigin _) ->
                Optional.of(WHOLE_IMAGE);
            case Recognition.DataOnly() -> Optional.of("data-only");
          };
      if (how.isPresent()) {
        return new Serving(answer.format(), how.get(), String.join("; ", refusals));
      }
    }
    return new Serving(
        "none",
        "refused",
        refusals.isEmpty()
            ? "no format serves media type " + layer.descriptor().mediaType()
            : String.join("; ", refusals));
  }

  private static String text(Inspected inspected) {
    ResolvedImage resolved = inspected.resolved;
    ImageManifest image = resolved.image();
    List<String> lines = new ArrayList<>();
    lines.add("image     " + resolved.reference());
    lines.add("manifest  " + image.digest());
    lines.add("RAFS      " + variant(inspected));
    lines.add("layers    %d, %s".formatted(image.layerCount(), Sizes.text(image.sizeBytes())));
    for (int position = 0; position < image.layerCount(); position++) {
      Descriptor layer = image.manifest().layers().get(position);
      Serving serving = inspected.servings.get(position);
      lines.add(
          "%3d  %s  %10s  %s  %s %s%s%n     chain %s"
              .formatted(
                  position,
                  layer.digest(),
                  Sizes.text(layer.sizeBytes()),
                  layer.mediaType(),
                  serving.format,
                  serving.how,
                  serving.reason.isEmpty() ? "" : " (" + serving.reason + ")",
                  image.chainIds().get(position)));
    }
    return String.join(System.lineSeparator(), lines);
  }

  private static String variant(Inspected inspected) {
    ImageManifest variant = inspected.resolved.variant();
    if (variant == null) {
      return "no variant";
    }
    return inspected.variantProblem.isEmpty()
        ? "variant %s, %d layers, %s"
            .formatted(variant.digest(), variant.layerCount(), Sizes.text(variant.sizeBytes()))
        : "variant %s is not used: %s".formatted(variant.digest(), inspected.variantProblem);
  }

  private static Json json(Inspected inspected) {
    ResolvedImage resolved = inspected.resolved;
    ImageManifest image = resolved.image();
    List<Object> layers = new ArrayList<>();
    for (int position = 0; position < image.layerCount(); position++) {
      Descriptor layer = image.manifest().layers().get(position);
      Serving serving = inspected.servings.get(position);
      layers.add(
          new Json()
              .with("digest", layer.digest().toString())
              .with("sizeBytes", layer.sizeBytes())
              .with("mediaType", layer.mediaType())
              .with("chainId", image.chainIds().get(position).toString())
              .with("format", serving.format)
              .with("served", serving.how)
              .with("reason", serving.reason)
              .members());
    }
    ImageManifest variant = resolved.variant();
    return new Json()
        .with("image", resolved.reference().toString())
        .with("manifest", image.digest().toString())
        .with("rafsVariant", variant == null ? "" : variant.digest().toString())
        .with("rafsVariantProblem", inspected.variantProblem)
        .with("sizeBytes", image.sizeBytes())
        .with("layers", layers);
  }
}
