package sluice.registry;

import java.time.Duration;
import java.util.Map;
import java.util.Set;

/**
 * How registries are reached.
 *
 * @param timeouts how long each step may take
 * @param connectionsPerHost requests at once to one host, for each lane; streams of whole blobs
 *     count apart, and whoever opens them bounds them
 * @param plainHttpHosts hosts, with their port if they have one, that speak HTTP without TLS;
 *     loopback hosts always do
 * @param environment where {@code DOCKER_CONFIG}, {@code HOME}, {@code PATH}, {@code HTTPS_PROXY},
 *     {@code HTTP_PROXY}, {@code NO_PROXY} and {@code SSL_CERT_FILE} are looked up
 */
public record RegistryConfig(
    Timeouts timeouts,
    int connectionsPerHost,
    Set<String> plainHttpHosts,
    Map<String, String> environment) {

  /** Enough for fill to use a fast link over parallel ranges, and polite to a registry. */
  private static final int DEFAULT_CONNECTIONS_PER_HOST = 16;

  /**
   * How long each step may take; all are longer than zero.
   *
   * @param connect until a connection with TLS stands
   * @param idle until the next byte comes; a stream must also move 128 KiB in twice that time
   * @param request until a range or a document is there, with all its retries and redirects
   * @param upload until a blob or a manifest is stored, with all retries
   */
  public record Timeouts(Duration connect, Duration idle, Duration request, Duration upload) {

    public static final Timeouts DEFAULT =
        new Timeouts(
            Duration.ofSeconds(10),
            Duration.ofSeconds(30),
            Duration.ofMinutes(2),
            Duration.ofHours(1));

    public Timeouts {
      for (Duration timeout : new Duration[] {connect, idle, request, upload}) {
        if (timeout.isNegative() || timeout.isZero()) {
          throw new IllegalArgumentException("timeout: more than zero expected, found " + timeout);
        }
      }
    }
  }

  public RegistryConfig {
    if (connectionsPerHost < 1) {
      throw new IllegalArgumentException("connectionsPerHost: " + connectionsPerHost);
    }
    plainHttpHosts = Set.copyOf(plainHttpHosts);
    environment = Map.copyOf(environment);
  }

  /** The defaults, with the environment of this process. */
  public static RegistryConfig ofProcess() {
    return new RegistryConfig(
        Timeouts.DEFAULT, DEFAULT_CONNECTIONS_PER_HOST, Set.of(), System.getenv());
  }

  public RegistryConfig withTimeouts(Timeouts changed) {
    return new RegistryConfig(changed, connectionsPerHost, plainHttpHosts, environment);
  }

  public RegistryConfig withConnectionsPerHost(int changed) {
    return new RegistryConfig(timeouts, changed, plainHttpHosts, environment);
  }

  public RegistryConfig withPlainHttpHosts(Set<String> changed) {
    return new RegistryConfig(timeouts, connectionsPerHost, changed, environment);
  }

  public RegistryConfig withEnvironment(Map<String, String> changed) {
    return new RegistryConfig(timeouts, connectionsPerHost, plainHttpHosts, changed);
  }

  /** Leaves the environment out, which may hold secrets. */
  @Override
  public String toString() {
    return "RegistryConfig[timeouts=%s, connectionsPerHost=%d, plainHttpHosts=%s]"
        .formatted(timeouts, connectionsPerHost, plainHttpHosts);
  }
}
