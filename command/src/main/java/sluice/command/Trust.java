package sluice.command;

import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import sluice.command.config.Config;
import sluice.core.ImageRegistry;
import sluice.core.IndexTrust;
import sluice.snapshotter.image.ConfiguredTrust;
import sluice.snapshotter.image.TrustPolicy;
import sluice.snapshotter.signature.Signatures;
import sluice.snapshotter.signature.VerifyingKey;

/** Whose word is taken, once there is somebody to ask for signatures. */
@FunctionalInterface
interface Trust {

  /** The same, with signatures looked for in {@code documents}. */
  IndexTrust asking(ImageRegistry documents);

  /**
   * As the configuration says.
   *
   * @throws IOException if a key that it names cannot be read
   */
  static Trust of(Config config) throws IOException {
    Config.Trust configured = config.trust();
    String section = config.file() + ": trust.";
    TrustPolicy diffIds = policy(section + "unverified_diff_ids", configured.unverifiedDiffIds());
    TrustPolicy referrers = policy(section + "referrers", configured.referrers());
    TrustPolicy unpinned = policy(section + "unpinned_indexes", configured.unpinnedIndexes());
    return documents ->
        new ConfiguredTrust(
            diffIds, referrers, unpinned, new Signatures(documents, InstantSource.system()));
  }

  private static TrustPolicy policy(String setting, Config.Trusted configured) throws IOException {
    return switch (configured) {
      case Config.Trusted.Allow() -> new TrustPolicy.Allow();
      case Config.Trusted.Deny() -> new TrustPolicy.Deny();
      case Config.Trusted.From(Set<String> registries, List<Path> files) ->
          new TrustPolicy.Named(registries, keys(setting, files));
    };
  }

  private static List<VerifyingKey> keys(String setting, List<Path> files) throws IOException {
    List<VerifyingKey> keys = new ArrayList<>();
    for (Path file : files) {
      try {
        keys.add(VerifyingKey.read(file));
      } catch (IOException e) {
        throw new IOException("%s: %s".formatted(setting, Failure.sentence(e)), e);
      }
    }
    return keys;
  }
}
