package sluice.command;

import java.nio.file.Path;

/** Defaults of commands that read no configuration file. */
final class Defaults {

  private Defaults() {}

  /** The cache of {@code sluice mount}, never the daemon's. */
  static Path mountRoot() {
    String cacheHome = System.getenv("XDG_CACHE_HOME");
    return cacheHome == null || !Path.of(cacheHome).isAbsolute()
        ? Path.of("/var/cache/sluice-mount")
        : Path.of(cacheHome, "sluice");
  }
}
