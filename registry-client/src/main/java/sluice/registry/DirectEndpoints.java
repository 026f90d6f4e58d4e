package sluice.registry;

import java.util.List;
import java.util.Map;
import java.util.Set;
import okhttp3.HttpUrl;
import sluice.core.FetchException;

/**
 * Each registry at its own host: HTTPS, but plain HTTP for loopback hosts (a loopback host with
 * port 443 speaks HTTPS) and for those that the configuration names.
 */
final class DirectEndpoints implements EndpointSource {

  /** The names that references use for Docker Hub, and the host that serves it. */
  private static final Map<String, String> DOCKER_HUB =
      Map.of("docker.io", "registry-1.docker.io", "index.docker.io", "registry-1.docker.io");

  private static final int HTTPS_PORT = 443;

  private final Set<String> plainHttpHosts;

  DirectEndpoints(Set<String> plainHttpHosts) {
    this.plainHttpHosts = plainHttpHosts;
  }

  @Override
  public List<Endpoint> endpoints(String registry) throws FetchException {
    String authority = DOCKER_HUB.getOrDefault(registry, registry);
    HttpUrl secure = HttpUrl.parse("https://" + authority + "/v2/");
    // A host with a slash, a question mark or a user would send requests somewhere else.
    if (secure == null || !isBare(secure)) {
      throw new FetchException(
          "registry \"" + registry + "\" is no host name", FetchException.Reason.PROTOCOL, 0, null);
    }
    boolean plain =
        plainHttpHosts.contains(registry)
            || (Urls.isLoopback(secure.host()) && !authority.endsWith(":" + HTTPS_PORT));
    return List.of(
        new Endpoint(plain ? HttpUrl.get("http://" + authority + "/v2/") : secure, Map.of()));
  }

  private static boolean isBare(HttpUrl url) {
    return url.encodedPath().equals("/v2/")
        && url.encodedQuery() == null
        && url.encodedFragment() == null
        && url.encodedUsername().isEmpty();
  }
}
