package sluice.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.command.config.Config;
import sluice.snapshotter.service.SocketServer;

/**
 * What must hold before the daemon makes or opens anything. A daemon that starts where nothing can
 * be mounted would have containerd wait for it, and fail at the first container.
 */
record StartChecks(Host host) {

  private static final Logger LOG = LoggerFactory.getLogger(StartChecks.class);

  /**
   * Checks; changes nothing.
   *
   * @throws IOException that says what is missing, and what to do
   */
  void require(Config config) throws IOException {
    require("mounting needs root: ", host.root());
    require("mounting needs FUSE: /dev/fuse is ", host.fuse());
    SocketServer.checkAddress(config.address());
    requireDirectory(config.root());
    HostCheck root = host.rootDirectory(config.root());
    require("root ", root);
    switch (root.state()) {
      case NOTE -> LOG.warn("root {}; {}", root.found(), root.advice());
      case OK, MISSING -> LOG.debug("{}", root);
    }
  }

  private static void require(String what, HostCheck check) throws IOException {
    switch (check.state()) {
      case MISSING -> throw new IOException(what + check.found() + "; " + check.advice());
      case OK, NOTE -> LOG.debug("{}", check);
    }
  }

  /** Checks that the root is a directory, or that one can be made there. */
  static void requireDirectory(Path root) throws IOException {
    for (Path path = root.toAbsolutePath(); path != null; path = path.getParent()) {
      if (Files.exists(path) && !Files.isDirectory(path)) {
        throw new IOException(
            path.equals(root.toAbsolutePath())
                ? "root %s: is not a directory".formatted(root)
                : "root %s: %s is not a directory".formatted(root, path));
      }
    }
  }
}
