package sluice.command.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;

/**
 * What may be configured, with the defaults of {@link #DEFAULTS}.
 *
 * @param root the daemon's directory; only root may enter it
 * @param address the Unix socket that containerd connects to
 * @param logLevel how much is logged
 * @param mount how root file systems are mounted
 * @param fuse how the daemon speaks with the kernel
 * @param pull how images are brought to the node
 * @param trust whose word is taken
 * @param metrics where metrics are served
 * @param containerd the containerd whose content store may hold manifests
 */
public record Config(
    Path root,
    Path address,
    LogLevel logLevel,
    Mount mount,
    Fuse fuse,
    Pull pull,
    Trust trust,
    Metrics metrics,
    Containerd containerd) {

  /** What holds where the file says nothing. */
  public static final Config DEFAULTS =
      new Config(
          Path.of("/var/lib/sluice"),
          Path.of("/run/sluice/sluice.sock"),
          LogLevel.INFO,
          new Mount(Driver.AUTO),
          new Fuse(Transport.RAW),
          new Pull(Duration.ofSeconds(10), 4),
          new Trust(new UnverifiedDiffIds.Allow()),
          new Metrics("127.0.0.1:9480"),
          new Containerd(Path.of("/run/containerd/containerd.sock")));

  /** {@code log.level}. */
  public enum LogLevel {
    ERROR,
    WARN,
    INFO,
    DEBUG,
    TRACE
  }

  /** {@code mount.driver}. */
  public enum Driver {
    /** The best that this host has. */
    AUTO,
    FUSE;

    /** As the file spells it. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** {@code fuse.transport}. */
  public enum Transport {
    /** {@code /dev/fuse}, spoken by Sluice itself. */
    RAW,
    /** libfuse 2, by jnr-fuse. */
    JNR
  }

  /** Section {@code mount}. */
  public record Mount(Driver driver) {}

  /** Section {@code fuse}. */
  public record Fuse(Transport transport) {}

  /**
   * Section {@code pull}.
   *
   * @param indexDeadline how long one Prepare waits for manifest and index, before the layer is
   *     unpacked the ordinary way
   * @param parallelStreams how many layers are streamed at once
   */
  public record Pull(Duration indexDeadline, int parallelStreams) {}

  /** Section {@code trust}. */
  public record Trust(UnverifiedDiffIds unverifiedDiffIds) {}

  /**
   * {@code trust.unverified_diff_ids}: whose word is taken for a diff ID that cannot be checked
   * before the layer is used. The default is that of every lazy snapshotter; a host that runs
   * images of registries it does not trust beside others should name the registries it does.
   */
  public sealed interface UnverifiedDiffIds {
    /** {@code "allow"}. */
    record Allow() implements UnverifiedDiffIds {}

    /** A list of registries. */
    record From(Set<String> registries) implements UnverifiedDiffIds {
      public From {
        registries = Set.copyOf(registries);
      }
    }

    /** {@code "deny"}. */
    record Deny() implements UnverifiedDiffIds {}
  }

  /**
   * Section {@code metrics}.
   *
   * @param address {@code host:port}, or empty to serve none
   */
  public record Metrics(String address) {
    private static final int MAX_PORT = 65_535;

    public Metrics {
      int colon = address.lastIndexOf(':');
      String port = address.substring(colon + 1);
      if (!address.isEmpty()
          && (colon < 1 || !port.matches("\\d{1,5}") || Integer.parseInt(port) > MAX_PORT)) {
        throw new IllegalArgumentException("host:port expected, found " + address);
      }
    }

    /** Whether metrics are served; only then there are a host and a port. */
    public boolean enabled() {
      return !address.isEmpty();
    }

    public String host() {
      return address.substring(0, address.lastIndexOf(':'));
    }

    /** 0 takes a free one. */
    public int port() {
      return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
    }
  }

  /** Section {@code containerd}. */
  public record Containerd(Path address) {}

  /** The same, with another root. */
  public Config withRoot(Path other) {
    return new Config(other, address, logLevel, mount, fuse, pull, trust, metrics, containerd);
  }

  /** The same, with another socket. */
  public Config withAddress(Path other) {
    return new Config(root, other, logLevel, mount, fuse, pull, trust, metrics, containerd);
  }
}
