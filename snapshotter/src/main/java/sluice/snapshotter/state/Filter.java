package sluice.snapshotter.state;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Selects snapshots, in the syntax of containerd's package filters:
 *
 * <pre>
 * filter   = selector *( "," selector )            all must match
 * selector = path [ ( "==" | "!=" | "~=" ) value ]  without an operator: the field is there
 * path     = field *( "." field )
 * field    = quoted | letter *( letter | digit | "_" )
 * value    = quoted | 1*( anything but space and comma )
 * quoted   = a string literal of Go; after "~=" also between slashes or bars
 * </pre>
 *
 * The fields are {@code name}, {@code parent}, {@code kind} and {@code labels.KEY}. A snapshot is
 * selected if one of several filters matches, or if there is none.
 */
public final class Filter implements Predicate<Snapshot> {

  private final List<Selector> selectors;

  private Filter(List<Selector> selectors) {
    this.selectors = List.copyOf(selectors);
  }

  /** One condition. */
  record Selector(List<String> path, Predicate<Optional<String>> condition) {
    Selector {
      path = List.copyOf(path);
    }
  }

  /**
   * Reads filters; the result matches what any of them matches.
   *
   * @throws SnapshotException if one breaks the syntax
   */
  public static Predicate<Snapshot> anyOf(List<String> texts) throws SnapshotException {
    Predicate<Snapshot> any = snapshot -> texts.isEmpty();
    for (String text : texts) {
      any = any.or(new Filter(new FilterParser(text).parse()));
    }
    return any;
  }

  @Override
  public boolean test(Snapshot snapshot) {
    return selectors.stream()
        .allMatch(selector -> selector.condition().test(field(snapshot, selector.path())));
  }

  private static Optional<String> field(Snapshot snapshot, List<String> path) {
    return switch (path.getFirst()) {
      case "name" -> Optional.of(snapshot.key().name());
      case "parent" -> Optional.of(snapshot.parent() == null ? "" : snapshot.parent());
      case "kind" -> Optional.of(snapshot.kind().label());
      case "labels" -> label(snapshot.labels(), path.subList(1, path.size()));
      default -> Optional.empty();
    };
  }

  private static Optional<String> label(Map<String, String> labels, List<String> key) {
    return Optional.ofNullable(labels.get(String.join(".", key)));
  }
}
