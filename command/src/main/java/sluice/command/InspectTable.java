package sluice.command;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import sluice.core.IndexOrigin;
import sluice.snapshotter.image.ImageManifest;
import sluice.snapshotter.image.ResolvedImage;

/** An {@link Inspection} for people. */
final class InspectTable {

  private InspectTable() {}

  static String text(Inspection inspection) {
    ResolvedImage image = inspection.image();
    ImageManifest manifest = image.image();
    List<String> lines = new ArrayList<>();
    lines.add("image     " + image.reference());
    lines.add("manifest  " + manifest.digest());
    lines.add("variant   " + variant(inspection));
    lines.add(
        "layers    %d, %s".formatted(manifest.layerCount(), Sizes.text(manifest.sizeBytes())));
    List<Inspection.Layer> layers = inspection.layers();
    for (int at = 0; at < layers.size(); at++) {
      Inspection.Layer layer = layers.get(at);
      lines.add(
          "%n%3d  %s  %s  %s%n     chain %s"
              .formatted(
                  at,
                  layer.descriptor().digest(),
                  Sizes.text(layer.descriptor().sizeBytes()),
                  layer.descriptor().mediaType(),
                  layer.chainId()));
      if (layer.chosen().isEmpty()) {
        lines.add("     no format serves it: containerd unpacks it");
      }
      layer.offers().forEach(offer -> lines.add(line(offer)));
    }
    return String.join(System.lineSeparator(), lines);
  }

  private static String line(Inspection.Offer offer) {
    return "   %s %-12s %-9s %s%s"
        .formatted(
            offer.chosen() ? "*" : " ",
            offer.format(),
            offer.served(),
            place(offer.origin()),
            offer.reason());
  }

  private static String place(@Nullable IndexOrigin origin) {
    if (origin == null) {
      return "";
    }
    String size = origin.sizeBytes() < 0 ? "" : ", " + Sizes.text(origin.sizeBytes());
    return "from %s%s, vouched for by %s: ".formatted(origin.place(), size, voucher(origin));
  }

  /** As JSON and table call what vouches for an index. */
  static String voucher(IndexOrigin origin) {
    return switch (origin.binding()) {
      case LAYER -> "layer";
      case IMAGE -> "image";
      case REFERRER -> "referrer";
      case NOTHING -> "nothing";
    };
  }

  private static String variant(Inspection inspection) {
    ImageManifest variant = inspection.image().variant();
    if (variant == null) {
      return "none";
    }
    return inspection.variantProblem().isEmpty()
        ? "%s, %d layers, %s"
            .formatted(variant.digest(), variant.layerCount(), Sizes.text(variant.sizeBytes()))
        : "%s is not used: %s".formatted(variant.digest(), inspection.variantProblem());
  }
}
