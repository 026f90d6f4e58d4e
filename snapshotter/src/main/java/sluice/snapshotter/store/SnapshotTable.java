package sluice.snapshotter.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sluice.snapshotter.state.Kind;
import sluice.snapshotter.state.LazyLayer;
import sluice.snapshotter.state.Snapshot;
import sluice.snapshotter.state.SnapshotCounts;
import sluice.snapshotter.state.SnapshotKey;
import sluice.snapshotter.state.Usage;

/** The statements on the table of snapshots. Knows no rules; for the length of one transaction. */
final class SnapshotTable {

  private static final String SELECT =
      """
      SELECT s.id, s.snapshotter, s.name, p.name AS parent_name, s.kind, s.created, s.updated,
             s.labels, s.size_bytes, s.inodes, s.lazy
      FROM snapshot s LEFT JOIN snapshot p ON p.id = s.parent
      """;

  private static final String CHAIN =
      """
      WITH RECURSIVE chain (id, height) AS (
        SELECT ?, 0
        UNION ALL
        SELECT snapshot.parent, height + 1 FROM chain JOIN snapshot USING (id)
        WHERE snapshot.parent IS NOT NULL
      )
      """
          + SELECT
          + " JOIN chain ON chain.id = s.id ORDER BY chain.height DESC";

  private static final long NANOS_A_SECOND = 1_000_000_000L;

  private final Connection connection;

  SnapshotTable(Connection connection) {
    this.connection = connection;
  }

  Optional<Snapshot> find(SnapshotKey key) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(SELECT + "WHERE s.snapshotter = ? AND s.name = ?")) {
      statement.setString(1, key.snapshotter());
      statement.setString(2, key.name());
      List<Snapshot> found = query(statement);
      return found.stream().findFirst();
    }
  }

  List<Snapshot> chain(long id) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(CHAIN)) {
      statement.setLong(1, id);
      return query(statement);
    }
  }

  List<Snapshot> list(String snapshotter) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(SELECT + "WHERE s.snapshotter = ? ORDER BY s.name")) {
      statement.setString(1, snapshotter);
      return query(statement);
    }
  }

  /** A parent is there before its children, so it has a smaller id. */
  List<Snapshot> all() throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(SELECT + "ORDER BY s.id")) {
      return query(statement);
    }
  }

  List<Long> ids() throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement("SELECT id FROM snapshot");
        ResultSet result = statement.executeQuery()) {
      List<Long> ids = new ArrayList<>();
      while (result.next()) {
        ids.add(result.getLong(1));
      }
      return ids;
    }
  }

  SnapshotCounts counts() throws SQLException {
    try (PreparedStatement statement =
            connection.prepareStatement(
                """
                SELECT
                  count(*) FILTER (WHERE kind = 'active'),
                  count(*) FILTER (WHERE kind = 'view'),
                  count(*) FILTER (WHERE kind = 'committed' AND lazy IS NULL),
                  count(*) FILTER (WHERE kind = 'committed' AND lazy IS NOT NULL)
                FROM snapshot\
                """);
        ResultSet result = statement.executeQuery()) {
      result.next();
      return new SnapshotCounts(
          result.getLong(1), result.getLong(2), result.getLong(3), result.getLong(4));
    }
  }

  /** The name of a snapshot that stands on this one. */
  Optional<String> anyChild(long id) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT name FROM snapshot WHERE parent = ? LIMIT 1")) {
      statement.setLong(1, id);
      try (ResultSet result = statement.executeQuery()) {
        return result.next() ? Optional.of(result.getString(1)) : Optional.empty();
      }
    }
  }

  void insert(
      SnapshotKey key,
      Kind kind,
      @Nullable Long parentId,
      Map<String, String> labels,
      @Nullable LazyLayer lazy,
      long now)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            INSERT INTO snapshot
              (snapshotter, name, parent, kind, created, updated, labels, size_bytes, inodes, lazy)
            VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?)\
            """)) {
      statement.setString(1, key.snapshotter());
      statement.setString(2, key.name());
      if (parentId == null) {
        statement.setNull(3, Types.INTEGER);
      } else {
        statement.setLong(3, parentId);
      }
      statement.setString(4, kind.label());
      statement.setLong(5, now);
      statement.setLong(6, now);
      statement.setString(7, LayerJson.labels(labels));
      statement.setString(8, lazy == null ? null : LayerJson.lazy(lazy));
      statement.executeUpdate();
    }
  }

  void commit(long id, String name, Map<String, String> labels, Usage usage, long now)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            UPDATE snapshot SET name = ?, kind = 'committed', created = ?, updated = ?, labels = ?,
              size_bytes = ?, inodes = ? WHERE id = ?\
            """)) {
      statement.setString(1, name);
      statement.setLong(2, now);
      statement.setLong(3, now);
      statement.setString(4, LayerJson.labels(labels));
      statement.setLong(5, usage.sizeBytes());
      statement.setLong(6, usage.inodes());
      statement.setLong(7, id);
      statement.executeUpdate();
    }
  }

  void setLabels(long id, Map<String, String> labels, long now) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("UPDATE snapshot SET labels = ?, updated = ? WHERE id = ?")) {
      statement.setString(1, LayerJson.labels(labels));
      statement.setLong(2, now);
      statement.setLong(3, id);
      statement.executeUpdate();
    }
  }

  void delete(long id) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("DELETE FROM snapshot WHERE id = ?")) {
      statement.setLong(1, id);
      statement.executeUpdate();
    }
  }

  static long nanos(Instant instant) {
    return Math.addExact(
        Math.multiplyExact(instant.getEpochSecond(), NANOS_A_SECOND), instant.getNano());
  }

  private static List<Snapshot> query(PreparedStatement statement) throws SQLException {
    try (ResultSet result = statement.executeQuery()) {
      List<Snapshot> snapshots = new ArrayList<>();
      while (result.next()) {
        snapshots.add(snapshot(result));
      }
      return snapshots;
    }
  }

  private static Snapshot snapshot(ResultSet row) throws SQLException {
    String lazy = row.getString("lazy");
    return new Snapshot(
        row.getLong("id"),
        new SnapshotKey(row.getString("snapshotter"), row.getString("name")),
        row.getString("parent_name"),
        Kind.valueOf(row.getString("kind").toUpperCase(Locale.ROOT)),
        instant(row.getLong("created")),
        instant(row.getLong("updated")),
        LayerJson.labels(row.getString("labels")),
        new Usage(row.getLong("size_bytes"), row.getLong("inodes")),
        lazy == null ? null : LayerJson.lazy(lazy));
  }

  private static Instant instant(long nanos) {
    return Instant.ofEpochSecond(
        Math.floorDiv(nanos, NANOS_A_SECOND), Math.floorMod(nanos, NANOS_A_SECOND));
  }
}
