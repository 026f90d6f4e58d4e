package sluice.mount;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseMounts;
import sluice.fuse.FuseOptions;
import sluice.fuse.NodeFileSystem;
import sluice.fuse.raw.RawFuseSession;
import sluice.linux.DeadMounts;

/** One FUSE mount for many images, made by the first of them. Safe for use by many threads. */
final class NodeMount implements Closeable {

  private static final Logger LOG = LoggerFactory.getLogger(NodeMount.class);

  private final Path directory;
  private final boolean acls;
  private final FuseOptions options;
  private final FuseListener listener;

  /** Guarded by this. */
  private @Nullable Serving serving;

  /** Guarded by this. */
  private boolean closed;

  /** The mount and what it shows. */
  record Serving(Path directory, NodeFileSystem files, RawFuseSession session) {}

  /**
   * Mounts nothing yet.
   *
   * @param directory created when it is needed
   * @param acls whether it is for images that hold POSIX ACLs
   */
  NodeMount(Path directory, boolean acls, FuseOptions options, FuseListener listener) {
    this.directory = directory;
    this.acls = acls;
    this.options = options;
    this.listener = listener;
  }

  /** The mount that serves now; begun if there is none, or if the last one has ended. */
  synchronized Serving serving() throws IOException {
    if (closed) {
      throw new IllegalStateException("mounter of " + directory + " is closed");
    }
    Serving known = serving;
    if (known != null && !known.session().ended()) {
      return known;
    }
    if (known != null) {
      LOG.error(
          "{} was unmounted by another process: images that were mounted have no data any more",
          directory);
      known.session().close();
    }
    Path root = directory.getParent();
    if (root != null) {
      // What an earlier daemon bound is dead with its session, wherever below the root it lies.
      DeadMounts.clearBelow(root, FuseMounts.TYPE);
    }
    DeadMounts.clear(directory);
    Files.createDirectories(directory);
    NodeFileSystem files = new NodeFileSystem(acls);
    RawFuseSession session = RawFuseSession.mount(directory, files, options, listener);
    Serving begun = new Serving(directory, files, session);
    serving = begun;
    return begun;
  }

  /** How many images it serves. */
  synchronized int images() {
    return serving == null ? 0 : serving.files().size();
  }

  /** Unmounts; who still reads gets errors. */
  @Override
  public void close() throws IOException {
    Serving ending;
    synchronized (this) {
      closed = true;
      ending = serving;
      serving = null;
    }
    if (ending != null) {
      ending.session().close();
    }
  }
}
