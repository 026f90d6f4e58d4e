package sluice.registry;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import okhttp3.Authenticator;
import okhttp3.HttpUrl;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The proxies that {@code HTTPS_PROXY}, {@code HTTP_PROXY} and {@code NO_PROXY} name, in capitals
 * or not, by the rules of Go's {@code golang.org/x/net/http/httpproxy}, so that Sluice and
 * containerd take the same way. Loopback hosts are never asked through a proxy.
 */
final class ProxyRules extends ProxySelector {

  private static final Logger log = LoggerFactory.getLogger(ProxyRules.class);

  private static final List<Proxy> DIRECT = List.of(Proxy.NO_PROXY);
  private static final int SOCKS_PORT = 1080;

  private final Optional<HttpUrl> forHttps;
  private final Optional<HttpUrl> forHttp;
  private final NoProxy exceptions;
  private final boolean socksForHttps;
  private final boolean socksForHttp;

  private ProxyRules(
      Optional<HttpUrl> forHttps,
      boolean socksForHttps,
      Optional<HttpUrl> forHttp,
      boolean socksForHttp,
      NoProxy exceptions) {
    this.forHttps = forHttps;
    this.socksForHttps = socksForHttps;
    this.forHttp = forHttp;
    this.socksForHttp = socksForHttp;
    this.exceptions = exceptions;
  }

  static ProxyRules of(Map<String, String> environment) {
    String https = variable(environment, "HTTPS_PROXY");
    String http = variable(environment, "HTTP_PROXY");
    return new ProxyRules(
        proxy(https),
        isSocks(https),
        proxy(http),
        isSocks(http),
        NoProxy.parse(variable(environment, "NO_PROXY")));
  }

  @Override
  public List<Proxy> select(@Nullable URI uri) {
    if (uri == null || uri.getHost() == null) {
      return DIRECT;
    }
    boolean https = "https".equals(uri.getScheme());
    Optional<HttpUrl> proxy = https ? forHttps : forHttp;
    String host = uri.getHost().replaceAll("[\\[\\]]", "").toLowerCase(Locale.ROOT);
    int port = uri.getPort() >= 0 ? uri.getPort() : https ? 443 : 80;
    if (proxy.isEmpty() || Urls.isLoopback(host) || exceptions.matches(host, port)) {
      return DIRECT;
    }
    boolean socks = https ? socksForHttps : socksForHttp;
    return List.of(
        new Proxy(
            socks ? Proxy.Type.SOCKS : Proxy.Type.HTTP,
            InetSocketAddress.createUnresolved(proxy.get().host(), proxy.get().port())));
  }

  /** The attempt fails with its own message. */
  @Override
  public void connectFailed(
      @Nullable URI uri, @Nullable SocketAddress address, @Nullable IOException e) {}

  /** Answers a proxy that asks for the user and password of its URL. */
  Authenticator authenticator() {
    return (route, response) -> {
      if (route == null || response.request().header("Proxy-Authorization") != null) {
        return null;
      }
      Optional<HttpUrl> proxy = route.address().sslSocketFactory() == null ? forHttp : forHttps;
      if (proxy.isEmpty() || proxy.get().username().isEmpty()) {
        return null;
      }
      String basic =
          Credential.basic(new Credential.Password(proxy.get().username(), proxy.get().password()));
      return response.request().newBuilder().header("Proxy-Authorization", basic).build();
    };
  }

  private static String variable(Map<String, String> environment, String name) {
    String value = environment.getOrDefault(name, "");
    return value.isEmpty()
        ? environment.getOrDefault(name.toLowerCase(Locale.ROOT), "").strip()
        : value.strip();
  }

  private static boolean isSocks(String value) {
    return value.startsWith("socks5:") || value.startsWith("socks5h:");
  }

  private static Optional<HttpUrl> proxy(String value) {
    if (value.isEmpty()) {
      return Optional.empty();
    }
    String url = value.contains("://") ? value : "http://" + value;
    if (isSocks(value)) {
      url = "http" + url.substring(url.indexOf(':'));
      if (!url.matches("http://.*:\\d+/?")) {
        url = url + ":" + SOCKS_PORT;
      }
    }
    HttpUrl parsed = url.startsWith("http://") ? HttpUrl.parse(url) : null;
    if (parsed == null) {
      log.error(
          "proxy setting not understood, connecting without it: http://HOST:PORT or"
              + " socks5://HOST:PORT expected");
    }
    return Optional.ofNullable(parsed);
  }
}
