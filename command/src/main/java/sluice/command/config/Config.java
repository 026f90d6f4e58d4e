package sluice.command.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What may be configured, with the defaults of {@link #DEFAULTS}.
 *
 * @param file where it comes from, for messages
 * @param root the daemon's directory; only root may enter it
 * @param address the Unix socket that containerd connects to
 * @param logLevel how much is logged
 * @param mount how root file systems are mounted
 * @param fuse how the daemon speaks with the kernel
 * @param pull how images are brought to the node
 * @param trust whose word is taken
 * @param index which indexes of layers are used
 * @param metrics where metrics are served
 * @param containerd the containerd whose content store may hold manifests
 */
public record Config(
    String file,
    Path root,
    Path address,
    LogLevel logLevel,
    Mount mount,
    Fuse fuse,
    Pull pull,
    Trust trust,
    Index index,
    Metrics metrics,
    Containerd containerd) {

  /** What holds where the file says nothing. */
  public static final Config DEFAULTS =
      new Config(
          "defaults",
          Path.of("/var/lib/sluice"),
          Path.of("/run/sluice/sluice.sock"),
          LogLevel.INFO,
          new Mount(Driver.AUTO),
          new Fuse(Transport.RAW),
          new Pull(Duration.ofSeconds(10), 4),
          new Trust(
              new Trusted.Allow(), new Trusted.Deny(), new Trusted.Deny(), CheckLayers.COMPLETE),
          new Index(List.of(), true, Publish.NEVER),
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

  /**
   * Section {@code trust}.
   *
   * @param unverifiedDiffIds whose word is taken for a diff ID that cannot be checked before the
   *     layer is used. The default is that of every lazy snapshotter; a host that runs images of
   *     registries it does not trust beside others should name the registries it does
   * @param referrers whose referrers may say what the layers of an image hold
   * @param unpinnedIndexes whose layers may say so themselves, where nothing pins what they say
   * @param checkLayers when a layer that is served from an index is read whole and compared
   */
  public record Trust(
      Trusted unverifiedDiffIds,
      Trusted referrers,
      Trusted unpinnedIndexes,
      CheckLayers checkLayers) {}

  /** Whose word is taken. */
  public sealed interface Trusted {
    /** {@code "allow"}: everybody's. */
    record Allow() implements Trusted {}

    /**
     * A list.
     *
     * @param registries {@code host} or {@code host:port}, or {@code oci:DIRECTORY} of a layout
     * @param keys files with public keys, of which one must have signed what others have
     */
    record From(Set<String> registries, List<Path> keys) implements Trusted {
      public From {
        registries = Set.copyOf(registries);
        keys = List.copyOf(keys);
      }

      /** Registries alone. */
      public From(Set<String> registries) {
        this(registries, List.of());
      }
    }

    /** {@code "deny"}: nobody's. */
    record Deny() implements Trusted {}
  }

  /** {@code trust.check_layers}. */
  public enum CheckLayers {
    /** As soon as the layer is mounted, with what bandwidth is left. */
    ALWAYS,
    /** When all of the layer's data was fetched. */
    COMPLETE,
    NEVER
  }

  /**
   * Section {@code index}.
   *
   * @param order the formats that are used, the preferred one first; empty for all of them as they
   *     are. Whatever else, a layer can be streamed. Indexes that are made here are of the format
   *     {@code soci}
   * @param record whether an index is made of each layer that is streamed, and kept
   * @param publish whether an index that was made here is offered to the image's registry
   */
  public record Index(List<String> order, boolean record, Publish publish) {
    public Index {
      order = List.copyOf(order);
    }
  }

  /** {@code index.publish}. */
  public enum Publish {
    NEVER,
    /** Pushed as a referrer of the image, if the registry lets this node push. */
    ASK_REGISTRY
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
    return new Config(
        file, other, address, logLevel, mount, fuse, pull, trust, index, metrics, containerd);
  }

  /** The same, with another socket. */
  public Config withAddress(Path other) {
    return new Config(
        file, root, other, logLevel, mount, fuse, pull, trust, index, metrics, containerd);
  }
}
