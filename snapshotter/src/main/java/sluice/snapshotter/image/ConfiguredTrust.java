package sluice.snapshotter.image;

import java.util.Optional;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;

/** Trust as an operator sets it. */
public final class ConfiguredTrust implements IndexTrust {

  private final TrustPolicy diffIds;

  /**
   * @param diffIds whose images may say what layers hold before anybody has read all of them
   */
  public ConfiguredTrust(TrustPolicy diffIds) {
    this.diffIds = diffIds;
  }

  @Override
  public Optional<String> refusal(LayerFormat.Layer layer, Binding binding) {
    return switch (binding) {
      case LAYER -> Optional.empty();
      case IMAGE -> refusal(layer, "trust.unverified_diff_ids", diffIds);
      case REFERRER, NOTHING -> IndexTrust.PINNED.refusal(layer, binding);
    };
  }

  private static Optional<String> refusal(
      LayerFormat.Layer layer, String setting, TrustPolicy policy) {
    return layer.holders().stream()
        .filter(holder -> !policy.trusts(holder))
        .map(holder -> "%s does not name %s".formatted(setting, holder))
        .findFirst();
  }
}
