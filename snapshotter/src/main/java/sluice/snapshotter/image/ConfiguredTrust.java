package sluice.snapshotter.image;

import java.io.IOException;
import java.util.Optional;
import sluice.core.Digest;
import sluice.core.IndexOrigin;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.snapshotter.signature.Signatures;

/** Trust as an operator sets it. */
public final class ConfiguredTrust implements IndexTrust {

  private final TrustPolicy diffIds;
  private final Named referrers;
  private final Named unpinned;
  private final Signatures signatures;

  /** A policy, and what the setting is called that made it. */
  private record Named(String setting, TrustPolicy policy) {}

  /**
   * @param diffIds whose images may say what layers hold before anybody has read all of them
   * @param referrers whose referrers may
   * @param unpinned whose layers may, where nothing pins what they say
   * @param signatures is asked who has signed an index, where the policies have keys
   */
  public ConfiguredTrust(
      TrustPolicy diffIds, TrustPolicy referrers, TrustPolicy unpinned, Signatures signatures) {
    this.diffIds = diffIds;
    this.referrers = new Named("trust.referrers", referrers);
    this.unpinned = new Named("trust.unpinned_indexes", unpinned);
    this.signatures = signatures;
  }

  @Override
  public Optional<String> refusal(LayerFormat.Layer layer, Binding binding) {
    return switch (binding) {
      case LAYER -> Optional.empty();
      case IMAGE -> unnamed(layer, new Named("trust.unverified_diff_ids", diffIds));
      case REFERRER -> refusal(layer, Binding.IMAGE).or(() -> unsearched(layer, referrers));
      // No manifest leads to one that a key could have signed, so there is nothing to look for.
      case NOTHING -> refusal(layer, Binding.IMAGE).or(() -> unnamed(layer, unpinned));
    };
  }

  /** Where there are keys, the index is needed to see whether one of them has signed it. */
  private static Optional<String> unsearched(LayerFormat.Layer layer, Named trusted) {
    return trusted.policy.keys().isEmpty() ? unnamed(layer, trusted) : Optional.empty();
  }

  @Override
  public Optional<String> refusal(LayerFormat.Layer layer, IndexOrigin origin)
      throws IOException, InterruptedException {
    Optional<String> refusal = refusal(layer, origin.binding());
    if (refusal.isPresent()) {
      return refusal;
    }
    return switch (origin.binding()) {
      case LAYER, IMAGE, NOTHING -> Optional.empty();
      case REFERRER -> unsigned(layer, origin, referrers);
    };
  }

  private Optional<String> unsigned(LayerFormat.Layer layer, IndexOrigin origin, Named trusted)
      throws IOException, InterruptedException {
    Optional<String> unnamed = unnamed(layer, trusted);
    if (unnamed.isEmpty()) {
      return unnamed;
    }
    Digest manifest = origin.manifest();
    Optional<String> unsigned =
        manifest == null
            ? Optional.of("no manifest leads to it that its keys could have signed")
            : signatures.refusal(
                layer.image().reference().repository(), manifest, trusted.policy.keys());
    return unsigned.map(reason -> unnamed.get() + ", and " + reason);
  }

  private static Optional<String> unnamed(LayerFormat.Layer layer, Named trusted) {
    return layer.holders().stream()
        .filter(holder -> !trusted.policy.trusts(holder))
        .map(holder -> "%s does not name %s".formatted(trusted.setting, holder))
        .findFirst();
  }
}
