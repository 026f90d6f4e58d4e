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

  private final Named diffIds;
  private final Named referrers;
  private final Named unpinned;
  private final Signatures signatures;

  /**
   * A policy.
   *
   * @param setting what the setting is called that made it
   * @param orKey follows, in advice, the registry or layout that may be added to the setting
   */
  private record Named(String setting, TrustPolicy policy, String orKey) {
    String refusal(String name) {
      return "%s does not name %s".formatted(setting, name);
    }

    String advice(String name) {
      return "%s: add \"%s\"%s to it".formatted(refusal(name), name, orKey);
    }
  }

  /**
   * @param diffIds whose images may say what layers hold before anybody has read all of them
   * @param referrers whose referrers may
   * @param unpinned whose layers may, where nothing pins what they say
   * @param signatures is asked who has signed an index, where the policies have keys
   */
  public ConfiguredTrust(
      TrustPolicy diffIds, TrustPolicy referrers, TrustPolicy unpinned, Signatures signatures) {
    this.diffIds = new Named("trust.unverified_diff_ids", diffIds, "");
    this.referrers = new Named("trust.referrers", referrers, ", or a key,");
    this.unpinned = new Named("trust.unpinned_indexes", unpinned, "");
    this.signatures = signatures;
  }

  @Override
  public Optional<String> refusal(LayerFormat.Layer layer, Binding binding) {
    return switch (binding) {
      case LAYER -> Optional.empty();
      case IMAGE -> unnamed(layer, diffIds).map(diffIds::advice);
      case REFERRER -> refusal(layer, Binding.IMAGE).or(() -> unsearched(layer, referrers));
      case NOTHING -> refusal(layer, Binding.IMAGE).or(() -> unsearched(layer, unpinned));
    };
  }

  /** Where there are keys, the index is needed to see whether one of them has signed it. */
  private static Optional<String> unsearched(LayerFormat.Layer layer, Named trusted) {
    return trusted.policy.keys().isEmpty()
        ? unnamed(layer, trusted).map(trusted::advice)
        : Optional.empty();
  }

  @Override
  public Optional<String> refusal(LayerFormat.Layer layer, IndexOrigin origin)
      throws IOException, InterruptedException {
    Optional<String> refusal = refusal(layer, origin.binding());
    if (refusal.isPresent()) {
      return refusal;
    }
    return switch (origin.binding()) {
      case LAYER, IMAGE -> Optional.empty();
      case REFERRER -> unsigned(layer, origin, referrers);
      case NOTHING -> unsigned(layer, origin, unpinned);
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
            ? Optional.of("no manifest leads to the index that the keys could have signed")
            : signatures.refusal(
                layer.image().reference().repository(), manifest, trusted.policy.keys());
    return unsigned.map(reason -> trusted.refusal(unnamed.get()) + ", and " + reason);
  }

  /** Who is not trusted by name. */
  private static Optional<String> unnamed(LayerFormat.Layer layer, Named trusted) {
    return layer.holders().stream()
        .filter(holder -> !trusted.policy.trusts(holder))
        .map(TrustPolicy::name)
        .findFirst();
  }
}
