package sluice.registry;

import java.util.List;
import java.util.Map;
import okhttp3.HttpUrl;

/**
 * Where the API of a registry is.
 *
 * @param base scheme, host and path up to and with {@code /v2/}
 * @param headers sent with every request to this host, and to no other
 */
record Endpoint(HttpUrl base, Map<String, String> headers) {

  Endpoint {
    List<String> segments = base.pathSegments();
    if (!segments.getLast().isEmpty()) {
      throw new IllegalArgumentException("endpoint: " + base.redact() + " ends without a slash");
    }
    headers = Map.copyOf(headers);
  }

  /** Whether {@code url} is on this host, which may see its credentials. */
  boolean isOriginOf(HttpUrl url) {
    return url.scheme().equals(base.scheme())
        && url.host().equals(base.host())
        && url.port() == base.port();
  }

  /** Host and, where it is not the scheme's own, port. */
  @Override
  public String toString() {
    return Urls.host(base);
  }
}
