package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
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

/** {@code sluice inspect}: what an image is made of, and how each layer would be served. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    description = "Says what an image is made of, and how each of its layers would be served.")
final class InspectCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private PlatformOption platform = new PlatformOption();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Parameters(
      paramLabel = "IMAGE",
      converter = ReferenceConverter.class,
      description = "A registry reference, or oci:LAYOUT_DIR[:TAG].")
  private @Nullable ImageReference image;

  /** How one layer would be served: {@code reason} is empty unless it is refused. */
  record Serving(String format, String how, String reason) {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (image == null) {
      throw new ParameterException(spec.commandLine(), "which image?");
    }
    try (RegistryClient registries =
        RegistryClient.open(RegistryConfig.ofProcess(), FetchListener.NONE)) {
      ImagePlaces places =
          new ImagePlaces(ImagePlaces.Place.of(new OciLayout()), ImagePlaces.Place.of(registries));
      List<LayerFormat> formats = List.of(new RafsFormat(places), new TarFormat(places));
      ResolvedImage resolved =
          new ImageResolver(places, LocalContent.NONE).resolve(image, platform.platform());
      List<Serving> servings = new ArrayList<>();
      ImageManifest served = resolved.preferred();
      for (int position = 0; position < served.layerCount(); position++) {
        servings.add(serving(formats, served.layer(position, resolved.holders())));
      }
      PrintWriter out = spec.commandLine().getOut();
      out.println(json ? json(resolved, servings).text() : text(resolved, servings));
      out.flush();
    }
    return 0;
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
            case Recognition.ImageTree(LayerFormat.Indexer indexer) -> Optional.of("image");
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

  private static String text(ResolvedImage resolved, List<Serving> servings) {
    ImageManifest served = resolved.preferred();
    List<String> lines = new ArrayList<>();
    lines.add("image     " + resolved.reference());
    lines.add("manifest  " + resolved.image().digest());
    ImageManifest variant = resolved.rafsVariant();
    lines.add("RAFS      " + (variant == null ? "no variant" : "variant " + variant.digest()));
    lines.add("layers    %d, %s".formatted(served.layerCount(), Sizes.text(served.sizeBytes())));
    for (int position = 0; position < servings.size(); position++) {
      Descriptor layer = served.manifest().layers().get(position);
      Serving serving = servings.get(position);
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
                  served.chainIds().get(position)));
    }
    return String.join(System.lineSeparator(), lines);
  }

  private static Json json(ResolvedImage resolved, List<Serving> servings) {
    ImageManifest served = resolved.preferred();
    List<Object> layers = new ArrayList<>();
    for (int position = 0; position < servings.size(); position++) {
      Descriptor layer = served.manifest().layers().get(position);
      Serving serving = servings.get(position);
      layers.add(
          new Json()
              .with("digest", layer.digest().toString())
              .with("sizeBytes", layer.sizeBytes())
              .with("mediaType", layer.mediaType())
              .with("chainId", served.chainIds().get(position).toString())
              .with("format", serving.format)
              .with("served", serving.how)
              .with("reason", serving.reason)
              .members());
    }
    ImageManifest variant = resolved.rafsVariant();
    return new Json()
        .with("image", resolved.reference().toString())
        .with("manifest", resolved.image().digest().toString())
        .with("rafsVariant", variant == null ? "" : variant.digest().toString())
        .with("sizeBytes", served.sizeBytes())
        .with("layers", layers);
  }
}
