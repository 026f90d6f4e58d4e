package sluice.snapshotter.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;
import sluice.snapshotter.state.SnapshotException;
import sluice.snapshotter.state.SnapshotException.Code;

/**
 * The connections to the database, and the threads that use them: one writes, a few read. SQLite is
 * native code, which would pin the carrier of a virtual thread for as long as the disk takes, so
 * work is handed to these platform threads.
 *
 * <p>Write-ahead log with {@code synchronous=FULL}: when {@link #write} returns, the change is on
 * disk, and readers never wait for the writer.
 */
final class Database implements Closeable {

  /** Reads are short and come from memory; two threads keep a long listing from delaying others. */
  private static final int READERS = 2;

  private final Path file;
  private final Lane writer;
  private final Lane readers;

  private Database(Path file, Lane writer, Lane readers) {
    this.file = file;
    this.writer = writer;
    this.readers = readers;
  }

  /** Work on a connection, inside one transaction. */
  @FunctionalInterface
  interface Work<T> {
    T run(Connection connection) throws SQLException, SnapshotException;
  }

  /** Opens the database, makes it if it does not exist, and brings its tables up to date. */
  static Database open(Path file) throws IOException {
    Lane writer = new Lane("store-writer", 1);
    Lane readers = new Lane("store-reader", READERS);
    Database database = new Database(file, writer, readers);
    try {
      Connection first = connect(file);
      writer.idle.add(first);
      Schema.bringUpToDate(first);
      for (int i = 0; i < READERS; i++) {
        readers.idle.add(connect(file));
      }
      return database;
    } catch (SQLException e) {
      try {
        database.close();
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw database.translate(e);
    }
  }

  private static Connection connect(Path file) throws SQLException {
    SQLiteConfig config = new SQLiteConfig();
    config.setJournalMode(SQLiteConfig.JournalMode.WAL);
    config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
    config.enforceForeignKeys(true);
    return config.createConnection("jdbc:sqlite:" + file);
  }

  <T> T read(Work<T> work) throws IOException {
    return run(readers, work);
  }

  <T> T write(Work<T> work) throws IOException {
    return run(writer, work);
  }

  /**
   * Waits for the work even if the calling thread is interrupted, and leaves the interrupt for its
   * next blocking call: whether a change was made must be known.
   */
  private <T> T run(Lane lane, Work<T> work) throws IOException {
    Future<T> result = lane.threads.submit(() -> lane.inTransaction(work));
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return result.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          throw translate(e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private IOException translate(@Nullable Throwable cause) {
    return switch (cause) {
      case SnapshotException e ->
          new SnapshotException(e.code(), String.valueOf(e.getMessage()), e);
      case SQLiteException e when e.getResultCode() == SQLiteErrorCode.SQLITE_FULL ->
          new SnapshotException(
              Code.RESOURCE_EXHAUSTED,
              "store %s: the disk is full; free some space and try again".formatted(file),
              e);
      case SQLiteException e when damaged(e.getResultCode()) ->
          new SnapshotException(
              Code.DATA_LOSS,
              "store %s is damaged (%s); stop Sluice, move its root directory away, remove all images and containers of this snapshotter from containerd and pull again"
                  .formatted(file, e.getMessage()),
              e);
      case null, default -> new IOException("store %s: %s".formatted(file, message(cause)), cause);
    };
  }

  private static @Nullable String message(@Nullable Throwable cause) {
    return cause == null ? "failed" : cause.getMessage();
  }

  private static boolean damaged(SQLiteErrorCode code) {
    return code == SQLiteErrorCode.SQLITE_CORRUPT
        || code == SQLiteErrorCode.SQLITE_CORRUPT_INDEX
        || code == SQLiteErrorCode.SQLITE_CORRUPT_SEQUENCE
        || code == SQLiteErrorCode.SQLITE_CORRUPT_VTAB
        || code == SQLiteErrorCode.SQLITE_NOTADB;
  }

  @Override
  public void close() throws IOException {
    writer.threads.close();
    readers.threads.close();
    List<Connection> connections = new ArrayList<>(readers.idle);
    connections.addAll(writer.idle);
    IOException failure = null;
    for (Connection connection : connections) {
      try {
        connection.close();
      } catch (SQLException e) {
        failure = new IOException("store %s: cannot be closed".formatted(file), e);
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Some threads, and a connection for each. */
  private static final class Lane {
    private final ExecutorService threads;
    private final Deque<Connection> idle = new ArrayDeque<>();

    Lane(String name, int size) {
      threads =
          Executors.newFixedThreadPool(size, Thread.ofPlatform().daemon().name(name, 0).factory());
    }

    /**
     * The transaction is begun and ended by SQL: SQLite may roll it back by itself (SQLITE_FULL,
     * SQLITE_IOERR), of which the driver's own bookkeeping would not know.
     */
    <T> T inTransaction(Work<T> work) throws SQLException, SnapshotException {
      Connection connection = take();
      try {
        execute(connection, "BEGIN");
        T result = work.run(connection);
        execute(connection, "COMMIT");
        return result;
      } catch (SQLException | SnapshotException | RuntimeException e) {
        try {
          execute(connection, "ROLLBACK");
        } catch (SQLException rolledBack) {
          e.addSuppressed(rolledBack);
        }
        throw e;
      } finally {
        give(connection);
      }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
      try (Statement statement = connection.createStatement()) {
        statement.execute(sql);
      }
    }

    private Connection take() {
      synchronized (idle) {
        return idle.removeFirst();
      }
    }

    private void give(Connection connection) {
      synchronized (idle) {
        idle.addFirst(connection);
      }
    }
  }
}
