package sluice.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.RecordedRequest;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.FetchException;
import sluice.core.FetchException.Reason;
import sluice.core.Lane;

@Timeout(30)
class AuthorizationTest {

  private static final String SCOPE = "repository:some/image:pull";

  private TestRegistry registry;
  private RegistryClient client;

  @TempDir private Path dockerConfig;

  @BeforeEach
  void start() throws IOException {
    registry = TestRegistry.start();
    client = registry.client(dockerConfig);
  }

  @AfterEach
  void stop() {
    client.close();
    registry.close();
  }

  @Test
  void read_anonymousToken_isFetchedOnceAndSentFromThenOn() throws Exception {
    registry.enqueue(challenge(), token("one", 300), TestRegistry.part(0, 1).build());
    read();
    registry.enqueue(TestRegistry.part(0, 1).build());
    read();

    assertThat(registry.request().getHeaders().get("Authorization")).isNull();
    RecordedRequest asked = registry.request();
    assertThat(asked.getTarget()).startsWith("/token?");
    assertThat(asked.getUrl().queryParameter("service")).isEqualTo("the registry");
    assertThat(asked.getUrl().queryParameterValues("scope")).containsExactly(SCOPE);
    assertThat(asked.getHeaders().get("Authorization")).isNull();
    assertThat(registry.request().getHeaders().get("Authorization")).isEqualTo("Bearer one");
    assertThat(registry.request().getHeaders().get("Authorization")).isEqualTo("Bearer one");
    assertThat(registry.server.getRequestCount()).isEqualTo(4);
  }

  @Test
  void read_password_goesToTheTokenServerOnly() throws Exception {
    login("\"auth\":\"" + base64("alice:s3:cret") + "\"");
    registry.enqueue(challenge(), token("one", 300), TestRegistry.part(0, 1).build());
    read();
    registry.request();
    RecordedRequest asked = registry.request();
    assertThat(asked.getHeaders().get("Authorization"))
        .isEqualTo("Basic " + base64("alice:s3:cret"));
    assertThat(asked.getUrl().queryParameter("account")).isEqualTo("alice");
    assertThat(registry.request().getHeaders().get("Authorization")).isEqualTo("Bearer one");
  }

  @Test
  void read_identityToken_isExchanged() throws Exception {
    login("\"identitytoken\":\"refresh+me\"");
    registry.enqueue(
        challenge(),
        json(200, "{\"access_token\":\"one\",\"expires_in\":300}"),
        TestRegistry.part(0, 1).build());
    read();
    registry.request();
    RecordedRequest asked = registry.request();
    assertThat(asked.getMethod()).isEqualTo("POST");
    assertThat(TestRegistry.body(asked))
        .contains("grant_type=refresh_token")
        .contains("refresh_token=refresh%2Bme")
        .contains("scope=repository%3Asome%2Fimage%3Apull");
  }

  @Test
  void read_registryToken_isSentAsItIs() throws Exception {
    login("\"registrytoken\":\"ready\"");
    registry.enqueue(challenge(), TestRegistry.part(0, 1).build());
    read();
    registry.request();
    assertThat(registry.request().getHeaders().get("Authorization")).isEqualTo("Bearer ready");
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
  }

  @Test
  void read_basic_isSentFromTheSecondRequestOn() throws Exception {
    login("\"username\":\"alice\",\"password\":\"pw\"");
    registry.enqueue(basicChallenge(), TestRegistry.part(0, 1).build());
    read();
    registry.enqueue(TestRegistry.part(0, 1).build());
    read();
    assertThat(registry.request().getHeaders().get("Authorization")).isNull();
    assertThat(registry.request().getHeaders().get("Authorization"))
        .isEqualTo("Basic " + base64("alice:pw"));
    assertThat(registry.request().getHeaders().get("Authorization"))
        .isEqualTo("Basic " + base64("alice:pw"));
    assertThat(registry.server.getRequestCount()).isEqualTo(3);
  }

  @Test
  void read_basicRefused_isNotRepeated() throws Exception {
    login("\"username\":\"alice\",\"password\":\"wrong\"");
    registry.enqueue(basicChallenge(), basicChallenge());
    FetchException e = fails();
    assertThat(e.reason()).isEqualTo(Reason.UNAUTHORIZED);
    assertThat(e.getMessage())
        .contains("the credentials for " + registry.host() + " in " + dockerConfig)
        .doesNotContain("wrong")
        .doesNotContain(base64("alice:wrong"));
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
  }

  @Test
  void read_noCredentials_saysWhereTheyWouldBe() {
    registry.enqueue(
        new MockResponse.Builder(TestRegistry.error(401, "UNAUTHORIZED", "authentication required"))
            .addHeader("WWW-Authenticate", "Basic realm=\"r\"")
            .build());
    FetchException e = fails();
    assertThat(e)
        .hasMessageContaining("status 401 UNAUTHORIZED: authentication required")
        .hasMessageContaining("docker login " + registry.host())
        .hasMessageContaining(dockerConfig + "/config.json (not there)");
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
  }

  @Test
  void read_tokenRefused_isRefreshedOnce() throws Exception {
    registry.enqueue(challenge(), token("one", 300), TestRegistry.part(0, 1).build());
    read();
    registry.enqueue(challenge(), token("two", 300), TestRegistry.part(0, 1).build());
    read();
    assertThat(registry.server.getRequestCount()).isEqualTo(6);

    registry.enqueue(challenge(), token("three", 300), challenge());
    assertThat(fails().reason()).isEqualTo(Reason.UNAUTHORIZED);
    assertThat(registry.server.getRequestCount()).isEqualTo(9);
  }

  @Test
  void read_403WithAToken_isRefreshedOnce() throws Exception {
    registry.enqueue(challenge(), token("one", 300), TestRegistry.part(0, 1).build());
    read();
    registry.enqueue(TestRegistry.status(403), token("two", 300), TestRegistry.part(0, 1).build());
    read();
    assertThat(registry.server.getRequestCount()).isEqualTo(6);
  }

  @Test
  void read_403WithoutAToken_isFinal() {
    registry.enqueue(TestRegistry.error(403, "DENIED", "requested access is denied"));
    assertThat(fails()).hasMessageContaining("status 403 DENIED: requested access is denied");
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
  }

  @Test
  void read_expiredToken_isFetchedBeforeTheRequest() throws Exception {
    registry.enqueue(challenge(), token("one", 0), TestRegistry.part(0, 1).build());
    read();
    registry.enqueue(token("two", 300), TestRegistry.part(0, 1).build());
    read();
    assertThat(registry.server.getRequestCount()).isEqualTo(5);
  }

  @Test
  void read_64Threads_fetchOneToken() throws Exception {
    List<String> tokenRequests = new ArrayList<>();
    registry.server.setDispatcher(
        new Dispatcher() {
          @Override
          public MockResponse dispatch(RecordedRequest request) throws InterruptedException {
            if (request.getTarget().startsWith("/token")) {
              synchronized (tokenRequests) {
                tokenRequests.add(request.getTarget());
              }
              TimeUnit.MILLISECONDS.sleep(200);
              return token("one", 300);
            }
            return request.getHeaders().get("Authorization") == null
                ? challenge()
                : TestRegistry.part(0, 1).build();
          }
        });
    List<@Nullable Throwable> failures = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      threads.add(
          Thread.ofVirtual()
              .start(() -> {
                try {
                  read();
                } catch (IOException | InterruptedException e) {
                  synchronized (failures) {
                    failures.add(e);
                  }
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
    assertThat(tokenRequests).hasSize(1);
  }

  @Test
  void read_whoFetchesTheTokenIsInterrupted_anotherTakesOver() throws Exception {
    registry.enqueue(
        challenge(),
        challenge(),
        new MockResponse.Builder(token("one", 300)).headersDelay(1, TimeUnit.SECONDS).build(),
        token("two", 300),
        TestRegistry.part(0, 1).build());
    Thread first = Thread.ofVirtual().start(() -> fails());
    registry.request();
    Thread.sleep(150);
    Thread second =
        Thread.ofVirtual()
            .start(() -> {
              try {
                read();
              } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    Thread.sleep(150);
    first.interrupt();
    second.join();
    assertThat(registry.events).contains("DEMAND received 1");
  }

  @Test
  void read_tokenServerRefuses_saysWho() throws Exception {
    login("\"auth\":\"" + base64("alice:pw") + "\"");
    registry.enqueue(challenge(), TestRegistry.error(401, "DENIED", "incorrect password"));
    FetchException e = fails();
    assertThat(e)
        .hasMessageContaining("token for " + registry.host() + "/some/image from")
        .hasMessageContaining("status 401 DENIED: incorrect password")
        .hasMessageContaining("password of alice");
    assertThat(e.reason()).isEqualTo(Reason.UNAUTHORIZED);
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
  }

  @Test
  void read_tokenServerFailsOnce_isTriedAgain() throws Exception {
    registry.enqueue(
        challenge(), TestRegistry.status(503), token("one", 300), TestRegistry.part(0, 1).build());
    read();
    assertThat(registry.server.getRequestCount()).isEqualTo(4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "[]", "{\"token\":\"a\\nb\"}", "{\"token\":7}", "no"})
  void read_tokenIsNonsense_isRefused(String body) {
    registry.enqueue(challenge(), json(200, body));
    assertThat(fails().reason()).isEqualTo(Reason.PROTOCOL);
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
  }

  @Test
  void read_hugeToken_isRefused() {
    registry.enqueue(
        challenge(), json(200, "{\"token\":\"" + "x".repeat(2 * Limits.TOKEN_BYTES) + "\"}"));
    assertThat(fails()).hasMessageContaining("more than " + Limits.TOKEN_BYTES + " bytes");
  }

  private MockResponse challenge() {
    return new MockResponse.Builder()
        .code(401)
        .addHeader(
            "WWW-Authenticate",
            "Bearer realm=\"http://%s/token\",service=\"the registry\",scope=\"%s\""
                .formatted(registry.host(), SCOPE))
        .build();
  }

  private static MockResponse basicChallenge() {
    return new MockResponse.Builder()
        .code(401)
        .addHeader("WWW-Authenticate", "Basic realm=\"r\"")
        .build();
  }

  private static MockResponse token(String token, int expiresSeconds) {
    return json(200, "{\"token\":\"" + token + "\",\"expires_in\":" + expiresSeconds + "}");
  }

  private static MockResponse json(int status, String body) {
    return new MockResponse.Builder()
        .code(status)
        .addHeader("Content-Type", "application/json")
        .body(body)
        .build();
  }

  private void login(String fields) throws IOException {
    Files.writeString(
        dockerConfig.resolve("config.json"),
        "{\"auths\":{\"http://" + registry.host() + "/v1/\":{" + fields + "}}}");
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private void read() throws IOException, InterruptedException {
    client.read(
        TestRegistry.DIGEST, Set.of(registry.repository()), 0, ByteBuffer.allocate(1), Lane.DEMAND);
  }

  private FetchException fails() {
    FetchException e = catchThrowableOfType(FetchException.class, this::read);
    assertThat(e).isNotNull();
    return e;
  }
}
