package sluice.snapshotter.image;

import java.util.Set;
import sluice.core.Repository;

/**
 * Whose word is taken for a diff ID that nobody can check before the layer is used: a RAFS variant
 * is shown under the chain ID of the OCI manifest beside it, and containerd reuses what is known by
 * a chain ID for every later image of the namespace.
 */
public sealed interface TrustPolicy {

  /** Everybody's: the default, and what other lazy snapshotters do. */
  record Allow() implements TrustPolicy {}

  /** That of these registries, {@code host} or {@code host:port}. */
  record Registries(Set<String> names) implements TrustPolicy {
    public Registries {
      names = Set.copyOf(names);
    }
  }

  /** Nobody's: such layers are streamed and hashed. */
  record Deny() implements TrustPolicy {}

  /** Whether an image of this repository is taken at its word. */
  default boolean trusts(Repository repository) {
    return switch (this) {
      case Allow() -> true;
      case Deny() -> false;
      case Registries(Set<String> names) ->
          repository instanceof Repository.InRegistry in && names.contains(in.registry());
    };
  }
}
