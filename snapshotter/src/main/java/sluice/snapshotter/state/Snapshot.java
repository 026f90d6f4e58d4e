package sluice.snapshotter.state;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One snapshot, as the store has it.
 *
 * @param id names its directory; kept when it is committed, never used again
 * @param parent name of the committed snapshot below it, or null
 * @param createdAt when it was prepared, or committed
 * @param updatedAt when its labels were last changed
 * @param usage what it occupied when it was committed; {@link Usage#NONE} for all others
 * @param lazy what is served in its place; null if its files are in its directory
 */
public record Snapshot(
    long id,
    SnapshotKey key,
    @Nullable String parent,
    Kind kind,
    Instant createdAt,
    Instant updatedAt,
    Map<String, String> labels,
    Usage usage,
    @Nullable LazyLayer lazy) {

  public Snapshot {
    labels = Map.copyOf(labels);
  }
}
