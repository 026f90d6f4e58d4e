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
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.formats.rafs.RafsFormat;
import sluice.formats.tar.TarFormat;
import sluice.registry.FetchListener;
import sluice.registry.OciLayout;
import sluice.registry.RegistryClient;
import sluice.registry.RegistryConfig;
import sluice.snapshotter.image.ImageManifest;
import sluice.snapshotter.image.ImageResolver;
import sluice.snapshotter.image.LocalContent;
import sluice.snapshotter.image.ResolvedImage;
import sluice.snapshotter.image.TrustPolicy;

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
    TrustPolicy trust = NodeStock.trust(config.trust().unverifiedDiffIds());
    try (RegistryClient registries =
        RegistryClient.open(RegistryConfig.ofProcess(), FetchListener.NONE)) {
      ImagePlaces places =
          new ImagePlaces(ImagePlaces.Place.of(new OciLayout()), ImagePlaces.Place.of(registries));
      List<LayerFormat> formats = List.of(new RafsFormat(places), new TarFormat(places));
      ResolvedImage resolved =
          new ImageResolver(places, LocalContent.NONE).resolve(image, platform.platform());
      Inspected inspected = inspect(resolved, formats, trust);
      PrintWriter out = spec.commandLine().getOut();
      out.println(json ? json(inspected).text() : text(inspected));
      out.flush();
    }
    return 0;
  }

  private static Inspected inspect(
      ResolvedImage resolved, List<LayerFormat> formats, TrustPolicy trust)
      throws IOException, InterruptedException {
    ImageManifest variant = resolved.rafsVariant();
    String problem = variant == null ? "" : problem(resolved, variant, formats, trust);
    List<Serving> servings = new ArrayList<>();
    ImageManifest image = resolved.image();
    for (int position = 0; position < image.layerCount(); position++) {
      servings.add(
          variant != null && problem.isEmpty()
              ? new Serving("rafs", "from variant " + variant.digest(), "")
              : serving(formats, image.layer(position, resolved.holders())));
    }
    return new Inspected(resolved, problem, servings);
  }

  /** Why the daemon would not serve an image from its RAFS variant; empty if it would. */
  private static String problem(
      ResolvedImage resolved, ImageManifest variant, List<LayerFormat> formats, TrustPolicy trust)
      throws IOException, InterruptedException {
    if (!resolved.holders().stream().allMatch(trust::trusts)) {
      return "trust.unverified_diff_ids does not allow it";
    }
    if (variant.layerCount() == 0) {
      return "it has no layers";
    }
    Serving top = serving(formats, variant.layer(variant.layerCount() - 1, resolved.holders()));
    if (top.how.equals(WHOLE_IMAGE)) {
      return "";
    }
    return top.reason.isEmpty() ? "its last layer is no tree of the whole image" : top.reason;
  }

  /** What the first format says that takes the layer, or why none does. */
  static Serving serving(List<LayerFormat> formats, LayerFormat.Layer layer)
      throws IOException, InterruptedException {
    List<String> refusals = new ArrayList<>();
    for (LayerFormat format : formats) {
      Optional<String> how =
          switch (format.recognise(layer)) {
            case Recognition.Foreign() -> Optional.empty();
            case Recognition.Refused(String reason) -> {
              refusals.add(format.name() + ": " + reason);
              yield Optional.empty();
            }
            case Recognition.Tree(LayerFormat.Indexer indexer) ->
                Optional.of(indexer.streams() ? "streamed" : "tree");
            case Recognition.ImageTree(LayerFormat.Indexer indexer) -> Optional.of(WHOLE_IMAGE);
            case Recognition.DataOnly() -> Optional.of("data-only");
          };
      if (how.isPresent()) {
        return new Serving(format.name(), how.get(), String.join("; ", refusals));
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
    ImageManifest variant = inspected.resolved.rafsVariant();
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
    ImageManifest variant = resolved.rafsVariant();
    return new Json()
        .with("image", resolved.reference().toString())
        .with("manifest", image.digest().toString())
        .with("rafsVariant", variant == null ? "" : variant.digest().toString())
        .with("rafsVariantProblem", inspected.variantProblem)
        .with("sizeBytes", image.sizeBytes())
        .with("layers", layers);
  }
}
