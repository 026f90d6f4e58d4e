package sluice.snapshotter.store;

import static sluice.snapshotter.state.SnapshotException.Code.ALREADY_EXISTS;
import static sluice.snapshotter.state.SnapshotException.Code.FAILED_PRECONDITION;
import static sluice.snapshotter.state.SnapshotException.Code.INVALID_ARGUMENT;
import static sluice.snapshotter.state.SnapshotException.Code.NOT_FOUND;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sluice.snapshotter.state.Kind;
import sluice.snapshotter.state.LazyLayer;
import sluice.snapshotter.state.Snapshot;
import sluice.snapshotter.state.SnapshotCounts;
import sluice.snapshotter.state.SnapshotException;
import sluice.snapshotter.state.SnapshotKey;
import sluice.snapshotter.state.SnapshotStore;
import sluice.snapshotter.state.Usage;

/** The store of snapshots in one SQLite database, which belongs to this object while it is open. */
public final class SqliteSnapshotStore implements SnapshotStore {

  private final Database database;
  private final InstantSource clock;

  private SqliteSnapshotStore(Database database, InstantSource clock) {
    this.database = database;
    this.clock = clock;
  }

  /**
   * Opens the store, makes it if it does not exist, and brings an older one up to date.
   *
   * @throws SnapshotException if the database is damaged or the disk is full
   */
  public static SqliteSnapshotStore open(Path file, InstantSource clock) throws IOException {
    return new SqliteSnapshotStore(Database.open(file), clock);
  }

  @Override
  public Snapshot create(
      SnapshotKey key, Kind kind, @Nullable String parent, Map<String, String> labels)
      throws IOException {
    return database.write(
        connection -> add(connection, key, new Row(kind, parent, labels, Usage.NONE, null)));
  }

  @Override
  public Snapshot commitLazy(
      SnapshotKey name, @Nullable String parent, Map<String, String> labels, LazyLayer layer)
      throws IOException {
    return database.write(connection ->
        add(connection, name, new Row(Kind.COMMITTED, parent, labels, Usage.NONE, layer)));
  }

  @Override
  public Snapshot commit(SnapshotKey key, String name, Map<String, String> labels, Usage usage)
      throws IOException {
    return database.write(connection -> {
      SnapshotTable table = new SnapshotTable(connection);
      Snapshot active = require(table, key);
      if (active.kind() != Kind.ACTIVE) {
        throw new SnapshotException(
            FAILED_PRECONDITION,
            "snapshot %s is %s, only an active one can be committed"
                .formatted(key, active.kind().label()));
      }
      SnapshotKey committed = key.sibling(name);
      requireFree(table, committed);
      table.commit(active.id(), name, labels, usage, now());
      return require(table, committed);
    });
  }

  @Override
  public void remove(SnapshotKey key) throws IOException {
    database.write(connection -> {
      SnapshotTable table = new SnapshotTable(connection);
      Snapshot snapshot = require(table, key);
      Optional<String> child = table.anyChild(snapshot.id());
      if (child.isPresent()) {
        throw new SnapshotException(
            FAILED_PRECONDITION,
            "cannot remove snapshot %s: snapshot %s stands on it".formatted(key, child.get()));
      }
      table.delete(snapshot.id());
      return snapshot;
    });
  }

  @Override
  public Snapshot update(SnapshotKey key, LabelChange change) throws IOException {
    return database.write(connection -> {
      SnapshotTable table = new SnapshotTable(connection);
      Snapshot snapshot = require(table, key);
      table.setLabels(snapshot.id(), change.apply(snapshot.labels()), now());
      return require(table, key);
    });
  }

  @Override
  public Optional<Snapshot> find(SnapshotKey key) throws IOException {
    return database.read(connection -> new SnapshotTable(connection).find(key));
  }

  @Override
  public List<Snapshot> chain(SnapshotKey key) throws IOException {
    return database.read(connection -> {
      SnapshotTable table = new SnapshotTable(connection);
      return table.chain(require(table, key).id());
    });
  }

  @Override
  public List<Snapshot> list(String snapshotter) throws IOException {
    return database.read(connection -> new SnapshotTable(connection).list(snapshotter));
  }

  @Override
  public List<Snapshot> all() throws IOException {
    return database.read(connection -> new SnapshotTable(connection).all());
  }

  @Override
  public Set<Long> ids() throws IOException {
    return database.read(connection -> new HashSet<>(new SnapshotTable(connection).ids()));
  }

  @Override
  public SnapshotCounts counts() throws IOException {
    return database.read(connection -> new SnapshotTable(connection).counts());
  }

  @Override
  public void close() throws IOException {
    database.close();
  }

  /** What a new snapshot is to be. */
  private record Row(
      Kind kind,
      @Nullable String parent,
      Map<String, String> labels,
      Usage usage,
      @Nullable LazyLayer lazy) {}

  private Snapshot add(Connection connection, SnapshotKey key, Row row)
      throws SQLException, SnapshotException {
    SnapshotTable table = new SnapshotTable(connection);
    Long parentId = null;
    if (row.parent != null) {
      Snapshot parent = require(table, key.sibling(row.parent));
      if (parent.kind() != Kind.COMMITTED) {
        throw new SnapshotException(
            INVALID_ARGUMENT,
            "parent %s of snapshot %s is %s, only a committed one can be a parent"
                .formatted(row.parent, key, parent.kind().label()));
      }
      parentId = parent.id();
    }
    requireFree(table, key);
    table.insert(key, row.kind, parentId, row.labels, row.lazy, now());
    return require(table, key);
  }

  private static Snapshot require(SnapshotTable table, SnapshotKey key)
      throws SQLException, SnapshotException {
    return table
        .find(key)
        .orElseThrow(() -> new SnapshotException(NOT_FOUND, "snapshot " + key + " does not exist"));
  }

  private static void requireFree(SnapshotTable table, SnapshotKey key)
      throws SQLException, SnapshotException {
    if (table.find(key).isPresent()) {
      throw new SnapshotException(ALREADY_EXISTS, "snapshot " + key + " already exists");
    }
  }

  private long now() {
    return SnapshotTable.nanos(clock.instant());
  }
}
