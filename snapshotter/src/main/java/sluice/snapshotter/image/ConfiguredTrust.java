package sluice.snapshotter.image;

import java.util.Optional;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;

/** Trust as an operator sets it. */
public final class ConfiguredTrust implements IndexTrust {

  private final TrustPolicy diffIds;
  private final TrustPolicy referrers;
  private final TrustPolicy unpinned;

  /**
   * @param diffIds whose images may say what layers hold before anybody has read all of them
   * @param referrers whose referrers may
   * @param unpinned whose layers may, where nothing pins what they say
   */
  public ConfiguredTrust(TrustPolicy diffIds, TrustPolicy referrers, TrustPolicy unpinned) {
    this.diffIds = diffIds;
    this.referrers = referrers;
    this.unpinned = unpinned;
  }

  @Override
  public Optional<String> refusal(LayerFormat.Layer layer, Binding binding) {
    return switch (binding) {
      case LAYER -> Optional.empty();
      case IMAGE -> refusal(layer, "trust.unverified_diff_ids", diffIds);
      case REFERRER ->
          refusal(layer, Binding.IMAGE).or(() -> refusal(layer, "trust.referrers", referrers));
      case NOTHING ->
          refusal(layer, Binding.IMAGE)
              .or(() -> refusal(layer, "trust.unpinned_indexes", unpinned));
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
