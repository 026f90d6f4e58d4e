package sluice.snapshotter.image;

import java.util.List;
import java.util.Set;
import sluice.core.Repository;
import sluice.snapshotter.signature.VerifyingKey;

/** Whose word is taken. */
public sealed interface TrustPolicy {

  /** Everybody's. */
  record Allow() implements TrustPolicy {}

  /**
   * That of these registries, and of whoever has one of these keys.
   *
   * @param registries {@code host} or {@code host:port}, or {@code oci:DIRECTORY} of a layout
   * @param keys of which one must have signed what another registry has
   */
  record Named(Set<String> registries, List<VerifyingKey> keys) implements TrustPolicy {
    public Named {
      registries = Set.copyOf(registries);
      keys = List.copyOf(keys);
    }
  }

  /** Nobody's. */
  record Deny() implements TrustPolicy {}

  /** The keys whose signature is enough. */
  default List<VerifyingKey> keys() {
    return switch (this) {
      case Allow _, Deny _ -> List.of();
      case Named(Set<String> _, List<VerifyingKey> keys) -> keys;
    };
  }

  /** Whether an image of this repository is taken at its word, without a signature. */
  default boolean trusts(Repository repository) {
    return switch (this) {
      case Allow() -> true;
      case Deny() -> false;
      case Named(Set<String> names, List<VerifyingKey> _) -> names.contains(name(repository));
    };
  }

  /** What a list has to name for a repository to be trusted: its registry, or the layout. */
  static String name(Repository repository) {
    return switch (repository) {
      case Repository.InRegistry in -> in.registry();
      case Repository.InLayout layout -> layout.toString();
    };
  }
}
