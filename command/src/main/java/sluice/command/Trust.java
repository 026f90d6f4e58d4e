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
    return new ConfiguredTrust(policy(configured.unverifiedDiffIds()));
  }

  private static TrustPolicy policy(Config.UnverifiedDiffIds configured) {
    return switch (configured) {
      case Config.UnverifiedDiffIds.Allow() -> new TrustPolicy.Allow();
      case Config.UnverifiedDiffIds.Deny() -> new TrustPolicy.Deny();
      case Config.UnverifiedDiffIds.From(Set<String> registries) ->
          new TrustPolicy.Registries(registries);
    };
  }
}
