package sluice.snapshotter.image;

import java.util.Set;
import sluice.core.Repository;

/** Whose word is taken. */
public sealed interface TrustPolicy {

  /** Everybody's. */
  record Allow() implements TrustPolicy {}

  /**
   * That of these.
   *
   * @param names {@code host} or {@code host:port} of registries, {@code oci:DIRECTORY} of layouts
   */
  record Registries(Set<String> names) implements TrustPolicy {
    public Registries {
      names = Set.copyOf(names);
    }
  }

  /** Nobody's. */
  record Deny() implements TrustPolicy {}

  /** Whether an image of this repository is taken at its word. */
  default boolean trusts(Repository repository) {
    return switch (this) {
      case Allow() -> true;
      case Deny() -> false;
      case Registries(Set<String> names) ->
          switch (repository) {
            case Repository.InRegistry in -> names.contains(in.registry());
            case Repository.InLayout layout -> names.contains(layout.toString());
          };
    };
  }
}
