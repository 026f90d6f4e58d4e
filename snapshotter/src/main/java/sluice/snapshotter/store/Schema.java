package sluice.snapshotter.store;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * The tables, and how a database of an older version gets them.
 *
 * <p>{@code PRAGMA user_version} counts the steps that a database has taken. A step is never
 * changed once it was released; a new version of the schema is one more step.
 *
 * <ul>
 *   <li>{@code snapshot.id} is {@code AUTOINCREMENT}, so that an id is never used again: it names a
 *       directory, and a directory may outlive its snapshot until the next cleanup.
 *   <li>Times are nanoseconds since 1970, which fit until 2262.
 *   <li>{@code labels} and {@code lazy} are JSON: they are only ever read whole.
 * </ul>
 */
final class Schema {

  /** "Slui" in ASCII: tells the database from any other one. */
  private static final int APPLICATION_ID = 0x536c7569;

  private static final List<List<String>> STEPS =
      List.of(
          List.of(
              "PRAGMA application_id = " + APPLICATION_ID,
              """
              CREATE TABLE snapshot (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                snapshotter TEXT NOT NULL,
                name TEXT NOT NULL,
                parent INTEGER REFERENCES snapshot (id),
                kind TEXT NOT NULL CHECK (kind IN ('view', 'active', 'committed')),
                created INTEGER NOT NULL,
                updated INTEGER NOT NULL,
                labels TEXT NOT NULL,
                size_bytes INTEGER NOT NULL,
                inodes INTEGER NOT NULL,
                lazy TEXT,
                UNIQUE (snapshotter, name)
              ) STRICT\
              """,
              "CREATE INDEX snapshot_parent ON snapshot (parent)"));

  private Schema() {}

  /** Takes the steps that are missing, all or none of them. The connection is in auto-commit. */
  static void bringUpToDate(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      int version = pragma(statement, "user_version");
      if (version > STEPS.size()) {
        throw new SQLException(
            "schema version %d, newest known %d: the database was written by a newer Sluice"
                .formatted(version, STEPS.size()));
      }
      int application = pragma(statement, "application_id");
      if (version > 0 && application != APPLICATION_ID) {
        throw new SQLException(
            "application id 0x%x, expected 0x%x: the database is not Sluice's"
                .formatted(application, APPLICATION_ID));
      }
      if (version == STEPS.size()) {
        return;
      }
      connection.setAutoCommit(false);
      for (List<String> step : STEPS.subList(version, STEPS.size())) {
        for (String sql : step) {
          statement.execute(sql);
        }
      }
      statement.execute("PRAGMA user_version = " + STEPS.size());
      connection.commit();
      connection.setAutoCommit(true);
    }
  }

  private static int pragma(Statement statement, String name) throws SQLException {
    try (ResultSet result = statement.executeQuery("PRAGMA " + name)) {
      result.next();
      return result.getInt(1);
    }
  }
}
