package sluice.registry;

import java.util.regex.Pattern;
import okhttp3.HttpUrl;

/** What may be said of a URL, and what follows from its host. */
final class Urls {

  private static final Pattern IPV4_LOOPBACK = Pattern.compile("127(?:\\.\\d{1,3}){3}");

  private Urls() {}

  /** Host and, where it is not the scheme's own, port. */
  static String host(HttpUrl url) {
    String host = url.host().contains(":") ? '[' + url.host() + ']' : url.host();
    return url.port() == HttpUrl.defaultPort(url.scheme()) ? host : host + ':' + url.port();
  }

  /** Host and path, without the query, which may hold a signature. */
  static String redacted(HttpUrl url) {
    return host(url) + url.encodedPath();
  }

  /** Whether {@code host}, as {@link HttpUrl#host} gives it, is this machine itself. */
  static boolean isLoopback(String host) {
    return host.equals("localhost")
        || host.endsWith(".localhost")
        || host.equals("::1")
        || IPV4_LOOPBACK.matcher(host).matches();
  }
}
