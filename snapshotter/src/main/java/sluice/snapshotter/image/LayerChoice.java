package sluice.snapshotter.image;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.Descriptor;
import sluice.core.IndexOrigin;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.ImagePart;
import sluice.core.LayerFormat.Recognition;

/**
 * Asks the formats, in the order in which they are preferred, what they make of a layer. Safe for
 * use by many threads.
 */
public final class LayerChoice {

  private static final Logger LOG = LoggerFactory.getLogger(LayerChoice.class);

  private final List<LayerFormat> formats;
  private final IndexTrust trust;
  private final RejectedIndexes rejected;
  private final Predicate<Descriptor> isVariant;

  /**
   * @param formats those in use, the preferred one first
   * @param rejected indexes that turned out to be of no use
   * @param isVariant whether any format, also one that is not in use, calls a manifest its own
   */
  public LayerChoice(
      List<LayerFormat> formats,
      IndexTrust trust,
      RejectedIndexes rejected,
      Predicate<Descriptor> isVariant) {
    this.formats = List.copyOf(formats);
    this.isVariant = isVariant;
    this.trust = trust;
    this.rejected = rejected;
  }

  /** What one format says, with trust and what is known of its index taken into account. */
  public record Answer(String format, Recognition recognition) {

    /** Whether the layer can be served so. */
    public boolean usable() {
      return switch (recognition) {
        case Recognition.Foreign _, Recognition.Refused _ -> false;
        case Recognition.Tree _, Recognition.ImageTree _, Recognition.DataOnly _ -> true;
      };
    }
  }

  /** The name of the format that can stream every layer: the last one. */
  public String streaming() {
    return formats.getLast().name();
  }

  /** The names of the formats that are asked, the preferred one first. */
  public List<String> names() {
    return formats.stream().map(LayerFormat::name).toList();
  }

  List<LayerFormat> formats() {
    return formats;
  }

  IndexTrust trust() {
    return trust;
  }

  /** Indexes that turned out to be of no use. */
  public RejectedIndexes rejected() {
    return rejected;
  }

  /** Whether an index of images offers the manifest as a variant in one of the formats. */
  public boolean isVariant(Descriptor manifest) {
    return isVariant.test(manifest);
  }

  /** What a layer is in an image of one tree; empty for others, and if the format is not in use. */
  Optional<ImagePart> imagePart(String format, Descriptor layer) {
    return formats.stream()
        .filter(each -> each.name().equals(format))
        .flatMap(each -> each.imagePart(layer).stream())
        .findFirst();
  }

  /** The formats that are asked after this one. */
  List<LayerFormat> after(String format) {
    return formats.stream().dropWhile(each -> !each.name().equals(format)).skip(1).toList();
  }

  /**
   * The answers of some formats up to the first usable one, which is the last of them if there is
   * one.
   */
  List<Answer> untilUsable(LayerFormat.Layer layer, List<LayerFormat> asked)
      throws InterruptedException {
    List<Answer> answers = new ArrayList<>();
    for (LayerFormat format : asked) {
      Answer answer = ask(format, layer);
      answers.add(answer);
      if (answer.usable()) {
        break;
      }
    }
    return answers;
  }

  /** The answers of all formats; the first usable one is what the layer is served by. */
  public List<Answer> all(LayerFormat.Layer layer) throws InterruptedException {
    List<Answer> answers = new ArrayList<>();
    for (LayerFormat format : formats) {
      answers.add(ask(format, layer));
    }
    return answers;
  }

  /** Why an image is not shown by its variant; empty if it is. The image has one. */
  public Optional<String> refusalOfVariant(ResolvedImage image, ImageManifest variant)
      throws InterruptedException {
    ImageManifest own = image.image();
    if (variant.layerCount() == 0 || own.layerCount() == 0) {
      return Optional.of("it has no layers");
    }
    LayerFormat.Layer ownTop = own.layer(own.layerCount() - 1, image.reference(), image.holders());
    Optional<String> untrusted = trust.refusal(ownTop, Binding.IMAGE);
    if (untrusted.isPresent()) {
      return untrusted;
    }
    Answer answer =
        untilUsable(
                variant.layer(variant.layerCount() - 1, image.reference(), image.holders()),
                formats)
            .getLast();
    return switch (answer.recognition()) {
      case Recognition.ImageTree _ -> {
        LayerKey claim =
            LayerKey.ofVariant(
                answer.format(),
                variant.manifest().layers().getLast().digest(),
                own.chainIds().getLast());
        Optional<String> lie = rejected.lie(claim);
        yield lie.isPresent() ? lie : refusalOfOrder(answer.format(), ownTop);
      }
      case Recognition.Refused(String reason) -> Optional.of(reason);
      case Recognition.Foreign _, Recognition.Tree _, Recognition.DataOnly _ ->
          Optional.of("its topmost layer is no tree of the whole image");
    };
  }

  /** A variant has the place of its format: a layer's own index may be preferred to it. */
  private Optional<String> refusalOfOrder(String format, LayerFormat.Layer own)
      throws InterruptedException {
    for (LayerFormat before : formats) {
      if (before.name().equals(format)) {
        return Optional.empty();
      }
      if (ask(before, own).usable()) {
        return Optional.of("%s is preferred to %s".formatted(before.name(), format));
      }
    }
    return Optional.empty();
  }

  /** A format that cannot find out does not stop those after it. */
  Answer ask(LayerFormat format, LayerFormat.Layer layer) throws InterruptedException {
    Recognition recognition;
    try {
      recognition = format.recognise(layer, trust);
      Optional<String> refusal = refusal(format, layer, recognition);
      if (refusal.isPresent()) {
        recognition = new Recognition.Refused(refusal.get());
      }
    } catch (IOException e) {
      LOG.info(
          "layer {} of {}: no index of format {}: {}",
          layer.descriptor().digest(),
          layer.image().reference(),
          format.name(),
          e.getMessage());
      recognition = new Recognition.Refused(String.valueOf(e.getMessage()));
    }
    return new Answer(format.name(), recognition);
  }

  private Optional<String> refusal(
      LayerFormat format, LayerFormat.Layer layer, Recognition recognition)
      throws IOException, InterruptedException {
    return switch (recognition) {
      case Recognition.Tree(LayerFormat.Indexer _, IndexOrigin origin) ->
          refusal(format, layer, origin);
      case Recognition.ImageTree(LayerFormat.Indexer _, IndexOrigin origin) ->
          refusal(format, layer, origin);
      case Recognition.Foreign _, Recognition.Refused _, Recognition.DataOnly _ -> Optional.empty();
    };
  }

  private Optional<String> refusal(LayerFormat format, LayerFormat.Layer layer, IndexOrigin origin)
      throws IOException, InterruptedException {
    Optional<String> known =
        rejected.reason(LayerKey.of(format.name(), layer, origin), layer.image());
    if (known.isPresent()) {
      return known;
    }
    Optional<String> uncomparable = uncomparable(layer, origin);
    return uncomparable.isPresent() ? uncomparable : trust.refusal(layer, origin);
  }

  /** What cannot be streamed could never be compared with what its index claims. */
  private Optional<String> uncomparable(LayerFormat.Layer layer, IndexOrigin origin)
      throws IOException, InterruptedException {
    if (origin.binding() == Binding.LAYER) {
      return Optional.empty();
    }
    return formats.getLast().recognise(layer, trust) instanceof Recognition.Tree
        ? Optional.empty()
        : Optional.of(
            "a layer of media type %s cannot be streamed, and so not be compared with its index"
                .formatted(layer.descriptor().mediaType()));
  }
}
