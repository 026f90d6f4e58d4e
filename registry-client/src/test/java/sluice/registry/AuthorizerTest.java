package sluice.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import okhttp3.HttpUrl;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Lane;
import sluice.core.Repository.InRegistry;

/** What is kept shows by credentials that change: who is served from what is kept has the old. */
@Timeout(60)
final class AuthorizerTest {

  private static final String HOST = "registry.example";

  @TempDir private Path directory;
  private TestRegistry nobody;
  private Transport transport;
  private Authorizer authorizer;
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");

  @BeforeEach
  void start() throws IOException {
    nobody = TestRegistry.unstarted();
    RegistryConfig config = RegistryConfig.ofProcess();
    HostTrust trust = HostTrust.of(Map.of());
    ProxyRules proxies = ProxyRules.of(Map.of());
    transport =
        Transport.open(
            config,
            proxies,
            proxies.authenticator(),
            trust.sockets(),
            trust.manager(),
            nobody.listener());
    Map<String, String> environment = Map.of("DOCKER_CONFIG", directory.toString());
    authorizer =
        new Authorizer(
            new DockerConfig(environment, new CredentialHelper(environment, Duration.ofSeconds(1))),
            new TokenServer(transport, () -> now),
            () -> now);
  }

  @AfterEach
  void stop() {
    transport.close();
    nobody.close();
  }

  @Test
  void get_beyondTheBound_evictsWhatHasExpired() throws Exception {
    login("old");
    fill(Authorizer.MAX_KEPT);
    now = now.plus(Duration.ofMinutes(11));
    assertThat(header("one-more")).isEqualTo(basic("old"));
    login("new");
    assertThat(header("one-more")).isEqualTo(basic("old"));
    assertThat(header("another")).isEqualTo(basic("new"));
    login("newest");
    assertThat(header("another")).isEqualTo(basic("new"));
  }

  @Test
  void get_beyondTheBound_evictsWhatExpiresFirst() throws Exception {
    login("old");
    String eldest = header("eldest");
    now = now.plusSeconds(1);
    fill(Authorizer.MAX_KEPT - 1);
    now = now.plusSeconds(1);
    String youngest = header("youngest");
    login("new");
    assertThat(header("youngest")).isEqualTo(youngest);
    assertThat(header("repository0")).isEqualTo(basic("old"));
    assertThat(header("eldest")).isEqualTo(basic("new")).isNotEqualTo(eldest);
  }

  private void fill(int repositories) throws Exception {
    for (int i = 0; i < repositories; i++) {
      assertThat(header("repository" + i)).isEqualTo(basic("old"));
    }
  }

  private void login(String password) throws IOException {
    Files.writeString(
        directory.resolve("config.json"),
        "{\"auths\":{\"%s\":{\"username\":\"u\",\"password\":\"%s\"}}}".formatted(HOST, password));
  }

  private static String basic(String password) {
    return Credential.basic(new Credential.Password("u", password));
  }

  private String header(String repository) throws Exception {
    Source source =
        new Source(
            new InRegistry(HOST, repository),
            new Endpoint(HttpUrl.get("https://" + HOST + "/v2/"), Map.of()));
    List<String> scopes = List.of(Ask.scope(source, "pull"));
    Deadline deadline = Deadline.after(Duration.ofSeconds(10));
    Optional<Authorization> kept = authorizer.authorization(source, scopes, Lane.DEMAND, deadline);
    if (kept.isEmpty()) {
      kept =
          authorizer.refresh(
              source, scopes, null, Optional.of(new Challenge.Basic()), Lane.DEMAND, deadline);
    }
    return kept.orElseThrow().header();
  }
}
