package sluice.command;

import java.util.Set;
import sluice.command.config.Config;
import sluice.core.IndexTrust;
import sluice.snapshotter.image.ConfiguredTrust;
import sluice.snapshotter.image.TrustPolicy;

/** Whose word is taken, as the configuration says. */
final class Trust {

  private Trust() {}

  static IndexTrust of(Config.Trust configured) {
    return new ConfiguredTrust(
        policy(configured.unverifiedDiffIds()),
        policy(configured.referrers()),
        policy(configured.unpinnedIndexes()));
  }

  private static TrustPolicy policy(Config.Trusted configured) {
    return switch (configured) {
      case Config.Trusted.Allow() -> new TrustPolicy.Allow();
      case Config.Trusted.Deny() -> new TrustPolicy.Deny();
      case Config.Trusted.From(Set<String> registries) -> new TrustPolicy.Registries(registries);
    };
  }
}
