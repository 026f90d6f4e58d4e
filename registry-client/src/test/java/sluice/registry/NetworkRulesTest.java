package sluice.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Proxy;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.FetchException;
import sluice.core.FetchException.Reason;
import sluice.core.Lane;
import sluice.core.Repository;

/** Where requests go, by which way, and whom TLS trusts. */
@Timeout(60)
class NetworkRulesTest {

  @ParameterizedTest
  @CsvSource({
    "docker.io, https://registry-1.docker.io/v2/",
    "registry.example, https://registry.example/v2/",
    "registry.example:5000, https://registry.example:5000/v2/",
    "plain.example:5000, http://plain.example:5000/v2/",
    "localhost:5000, http://localhost:5000/v2/",
    "localhost, http://localhost/v2/",
    "127.8.9.1:5000, http://127.8.9.1:5000/v2/",
    "[::1]:5000, http://[::1]:5000/v2/",
    "localhost:443, https://localhost/v2/",
    "127.0.0.1.example.com, https://127.0.0.1.example.com/v2/",
    "localhost.example.com, https://localhost.example.com/v2/",
  })
  void endpoints_host_haveItsScheme(String registry, String url) throws Exception {
    assertThat(new DirectEndpoints(Set.of("plain.example:5000")).endpoints(registry))
        .extracting(endpoint -> endpoint.base().toString())
        .containsExactly(url);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a/b", "user@host", "host?x", "host#x", "a b", "host:99999"})
  void endpoints_noHost_isRefused(String registry) {
    assertThatThrownBy(() -> new DirectEndpoints(Set.of()).endpoints(registry))
        .isInstanceOf(FetchException.class)
        .hasMessageContaining("is no host name");
  }

  @ParameterizedTest
  @CsvSource({
    "example.com, example.com, true",
    "example.com, sub.example.com, true",
    "example.com, badexample.com, false",
    ".example.com, sub.example.com, true",
    ".example.com, example.com, false",
    "*.example.com, sub.example.com, true",
    "*, anything, true",
    "10.0.0.0/8, 10.200.3.4, true",
    "10.0.0.0/8, 11.0.0.1, false",
    "10.0.0.0/33, 10.0.0.1, false",
    "192.168.1.1, 192.168.1.1, true",
    "fd00::/8, fd12::1, true",
    "fd00::/8, 10.0.0.1, false",
    "example.com:8080, example.com, false",
    "example.com:443, example.com, true",
    "EXAMPLE.com, example.com, true",
    "'a.example, b.example', b.example, true",
    "'', example.com, false",
  })
  void noProxy_rules(String list, String host, boolean direct) {
    assertThat(NoProxy.parse(list).matches(host, 443)).isEqualTo(direct);
  }

  @Test
  void select_byScheme_inBothSpellings() {
    ProxyRules rules =
        ProxyRules.of(
            Map.of(
                "https_proxy", "http://user:pw@proxy.example:3128",
                "HTTP_PROXY", "plain.example:8080",
                "NO_PROXY", "direct.example"));
    assertThat(rules.select(URI.create("https://registry.example/")))
        .extracting(Proxy::toString)
        .first()
        .asString()
        .startsWith("HTTP @ proxy.example")
        .endsWith(":3128");
    assertThat(rules.select(URI.create("http://registry.example/")).getFirst().toString())
        .contains("plain.example")
        .endsWith(":8080");
    assertThat(rules.select(URI.create("https://direct.example/"))).containsExactly(Proxy.NO_PROXY);
    assertThat(rules.select(URI.create("http://127.0.0.1:5000/"))).containsExactly(Proxy.NO_PROXY);
    assertThat(rules.select(URI.create("http://[::1]:5000/"))).containsExactly(Proxy.NO_PROXY);
    assertThat(
            ProxyRules.of(Map.of("HTTPS_PROXY", "socks5://s.example"))
                .select(URI.create("https://a/"))
                .getFirst()
                .toString())
        .startsWith("SOCKS @ s.example")
        .endsWith(":1080");
    assertThat(
            ProxyRules.of(Map.of("HTTPS_PROXY", "https://tls.example"))
                .select(URI.create("https://a/")))
        .containsExactly(Proxy.NO_PROXY);
  }

  @Test
  void read_plainHostThroughAProxy_asksTheProxyAndLogsIn() throws Exception {
    try (TestRegistry proxy = TestRegistry.start();
        RegistryClient client =
            RegistryClient.open(
                RegistryConfig.ofProcess()
                    .withPlainHttpHosts(Set.of("registry.test"))
                    .withEnvironment(
                        Map.of(
                            "DOCKER_CONFIG",
                            "/nonexistent",
                            "http_proxy",
                            "http://user:pw@" + proxy.host())),
                FetchListener.NONE)) {
      proxy.enqueue(TestRegistry.status(407), TestRegistry.part(0, 5).build());
      ByteBuffer into = ByteBuffer.allocate(5);
      Repository repository = new Repository.InRegistry("registry.test", "a");
      client.read(TestRegistry.DIGEST, Set.of(repository), 0, into, Lane.DEMAND);
      assertThat(into.array()).isEqualTo(TestRegistry.slice(0, 5));
      proxy.request();
      var request = proxy.request();
      assertThat(request.getRequestLine()).startsWith("GET http://registry.test/v2/a/blobs/");
      assertThat(request.getHeaders().get("Proxy-Authorization"))
          .isEqualTo("Basic " + Base64.getEncoder().encodeToString("user:pw".getBytes(UTF_8)));
    }
  }

  @Test
  void read_ownCa_isTrustedOnlyWithItsBundle(@TempDir Path directory) throws Exception {
    Path bundle = directory.resolve("ca.pem");
    SSLContext server = serverContext(directory, bundle);
    try (TestRegistry registry = TestRegistry.start();
        TestRegistry secure = TestRegistry.unstarted()) {
      secure.server.useHttps(server.getSocketFactory());
      secure.server.start(InetAddress.getLoopbackAddress(), 0);
      EndpointSource toSecure =
          host -> List.of(new Endpoint(secure.server.url("/v2/"), Map.of("X-Mirror", "yes")));
      Repository repository = new Repository.InRegistry("own.test", "a");

      try (RegistryClient client = client(Map.of(), toSecure)) {
        FetchException e =
            catchThrowableOfType(FetchException.class, () -> read(client, repository, Lane.DEMAND));
        assertThat(e).hasMessageContaining("add the CA of its certificate to the host's bundle");
        assertThat(e.reason()).isEqualTo(Reason.PROTOCOL);
      }
      try (RegistryClient client = client(Map.of("SSL_CERT_FILE", bundle.toString()), toSecure)) {
        for (Lane lane : Lane.values()) {
          secure.enqueue(TestRegistry.part(0, 5).build());
          assertThat(read(client, repository, lane)).isEqualTo(TestRegistry.slice(0, 5));
          var request = secure.request();
          assertThat(request.getVersion()).isEqualTo(lane == Lane.FILL ? "HTTP/1.1" : "HTTP/2");
          assertThat(request.getHeaders().get("X-Mirror")).isEqualTo("yes");
        }
        secure.enqueue(TestRegistry.redirect("http://" + registry.host() + "/x"));
        assertThatThrownBy(() -> read(client, repository, Lane.DEMAND))
            .hasMessageContaining("redirected from HTTPS to plain HTTP");
        assertThat(registry.server.getRequestCount()).isZero();
      }
    }
  }

  private static RegistryClient client(Map<String, String> environment, EndpointSource endpoints)
      throws IOException {
    Map<String, String> all = new HashMap<>(environment);
    all.put("DOCKER_CONFIG", "/nonexistent");
    return RegistryClient.open(
        RegistryConfig.ofProcess().withTimeouts(TestRegistry.SHORT).withEnvironment(all),
        FetchListener.NONE,
        endpoints,
        pause -> {});
  }

  private static byte[] read(RegistryClient client, Repository repository, Lane lane)
      throws IOException, InterruptedException {
    ByteBuffer into = ByteBuffer.allocate(5);
    client.read(TestRegistry.DIGEST, Set.of(repository), 0, into, lane);
    return into.array();
  }

  /** A server certificate that is its own CA, made by the JDK's keytool, and its PEM form. */
  private static SSLContext serverContext(Path directory, Path bundle) throws Exception {
    Path keys = directory.resolve("keys.p12");
    keytool(
        "-genkeypair",
        "-alias",
        "s",
        "-keyalg",
        "EC",
        "-dname",
        "CN=127.0.0.1",
        "-ext",
        "san=ip:127.0.0.1,dns:localhost",
        "-validity",
        "2",
        "-storetype",
        "PKCS12",
        "-keystore",
        keys.toString(),
        "-storepass",
        "changeit");
    keytool(
        "-exportcert",
        "-rfc",
        "-alias",
        "s",
        "-keystore",
        keys.toString(),
        "-storepass",
        "changeit",
        "-file",
        bundle.toString());
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (var in = Files.newInputStream(keys)) {
      store.load(in, "changeit".toCharArray());
    }
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, "changeit".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(factory.getKeyManagers(), null, null);
    return context;
  }

  private static void keytool(String... arguments) throws IOException, InterruptedException {
    String[] command = new String[arguments.length + 1];
    command[0] = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
    byte[] output = keytool.getInputStream().readAllBytes();
    assertThat(keytool.waitFor()).as(new String(output, UTF_8)).isZero();
  }
}
