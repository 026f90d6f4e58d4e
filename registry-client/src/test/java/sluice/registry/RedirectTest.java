package sluice.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import mockwebserver3.MockResponse;
import mockwebserver3.SocketEffect;
import okhttp3.HttpUrl;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Descriptor;
import sluice.core.FetchException;
import sluice.core.FetchException.Reason;
import sluice.core.Lane;

@Timeout(30)
class RedirectTest {

  private TestRegistry registry;
  private TestRegistry store;
  private RegistryClient client;

  @TempDir private Path dockerConfig;

  @BeforeEach
  void start() throws IOException {
    registry = TestRegistry.start();
    store = TestRegistry.start();
    Files.writeString(
        dockerConfig.resolve("config.json"),
        "{\"auths\":{\"" + registry.host() + "\":{\"username\":\"u\",\"password\":\"p\"}}}");
    client = registry.client(dockerConfig);
  }

  @AfterEach
  void stop() {
    client.close();
    store.close();
    registry.close();
  }

  @Test
  void read_redirected_followsWithoutCredentialsAndRemembers() throws Exception {
    registry.enqueue(
        new MockResponse.Builder().code(401).addHeader("WWW-Authenticate", "Basic realm=r").build(),
        toStore("one"));
    store.enqueue(TestRegistry.part(0, 5).build(), TestRegistry.part(5, 5).build());
    read(0);
    read(5);
    registry.request();
    assertThat(registry.request().getHeaders().get("Authorization")).startsWith("Basic ");
    assertThat(store.request().getHeaders().get("Authorization")).isNull();
    assertThat(store.request().getHeaders().get("Range")).isEqualTo("bytes=5-9");
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
    assertThat(store.server.getRequestCount()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 401, 403, 404, 410, 416, 429, 500, 503, 307})
  void read_rememberedTargetRefuses_asksTheOriginOnce(int status) throws Exception {
    registry.enqueue(toStore("one"), toStore("two"));
    store.enqueue(
        TestRegistry.part(0, 5).build(),
        TestRegistry.status(status),
        TestRegistry.part(5, 5).build());
    read(0);
    read(5);
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
    assertThat(store.server.getRequestCount()).isEqualTo(3);
    assertThat(store.request().getTarget()).isEqualTo("/one?Signature=secret");
    assertThat(store.request().getTarget()).isEqualTo("/one?Signature=secret");
    assertThat(store.request().getTarget()).isEqualTo("/two?Signature=secret");
  }

  static Stream<MockResponse> wrong() {
    return Stream.of(
        TestRegistry.part(6, 5).build(),
        TestRegistry.part(5, 5).setHeader("Content-Range", "").build(),
        TestRegistry.part(5, 5).body("four").build(),
        TestRegistry.part(5, 5).chunkedBody("five and more", 4).build(),
        new MockResponse.Builder().code(200).body("a page").build(),
        new MockResponse.Builder().code(307).addHeader("Location", "ftp://elsewhere").build());
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void read_rememberedTargetGivesSomethingElse_asksTheOriginOnce(MockResponse wrong)
      throws Exception {
    registry.enqueue(toStore("one"), toStore("two"));
    store.enqueue(
        TestRegistry.part(0, 5).build(),
        wrong,
        TestRegistry.part(5, 5).build(),
        TestRegistry.part(10, 5).build());
    read(0);
    read(5);
    read(10);
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
    assertThat(store.server.getRequestCount()).isEqualTo(4);
    assertThat(registry.pauses).isEmpty();
  }

  @Test
  void read_originRedirectsToWhatStaysBroken_fails() throws Exception {
    registry.enqueue(toStore("one"), toStore("two"));
    store.enqueue(
        TestRegistry.part(0, 5).build(), TestRegistry.status(404), TestRegistry.status(404));
    read(0);
    FetchException e = fails(5);
    assertThat(e.reason()).isEqualTo(Reason.NOT_FOUND);
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
    assertThat(store.server.getRequestCount()).isEqualTo(3);
  }

  @Test
  void read_freshTargetGivesSomethingElse_isNotRemembered() throws Exception {
    registry.enqueue(toStore("one"), toStore("two"));
    store.enqueue(TestRegistry.part(6, 5).build(), TestRegistry.part(5, 5).build());
    assertThat(fails(5)).hasMessageContaining("Content-Range");
    read(5);
    assertThat(store.request().getTarget()).isEqualTo("/one?Signature=secret");
    assertThat(store.request().getTarget()).isEqualTo("/two?Signature=secret");
  }

  @Test
  void readSmallBlob_rememberedTargetGivesWrongBytes_asksTheOriginOnce() throws Exception {
    registry.enqueue(toStore("one"), toStore("two"));
    store.enqueue(
        TestRegistry.part(0, 5).build(),
        new MockResponse.Builder().body("an error page").build(),
        TestRegistry.whole().build());
    read(0);
    Descriptor descriptor =
        new Descriptor("application/json", TestRegistry.DIGEST, TestRegistry.BLOB.length);
    assertThat(client.read(registry.repository(), descriptor).bytes().length())
        .isEqualTo(TestRegistry.BLOB.length);
  }

  @Test
  void open_rememberedTargetBreaksOff_asksTheOriginForTheRest() throws Exception {
    registry.enqueue(toStore("one"), toStore("two"));
    store.enqueue(
        TestRegistry.part(0, 5).build(),
        TestRegistry.whole().onResponseBody(new SocketEffect.CloseSocket()).build(),
        TestRegistry.part(50_000, 50_000).build());
    read(0);
    try (InputStream stream =
        client.open(TestRegistry.DIGEST, Set.of(registry.repository()), Lane.FILL)) {
      assertThat(stream.readAllBytes()).isEqualTo(TestRegistry.BLOB);
    }
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
  }

  @Test
  void read_freshTargetRefuses_isFinalAndSaysNoSecret() {
    registry.enqueue(toStore("one"));
    store.enqueue(
        new MockResponse.Builder()
            .code(403)
            .body(
                "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>secret</StringToSign></Error>")
            .build());
    FetchException e = fails(0);
    assertThat(e.getMessage())
        .contains("(redirected to " + store.host() + "): status 403 SignatureDoesNotMatch")
        .doesNotContain("secret");
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
    assertThat(store.server.getRequestCount()).isEqualTo(1);
  }

  @Test
  void read_rememberedTargetBreaks_asksTheOriginAgain() throws Exception {
    registry.enqueue(toStore("one"), toStore("two"));
    store.enqueue(
        TestRegistry.part(0, 5).build(),
        new MockResponse.Builder().onResponseStart(new SocketEffect.CloseSocket()).build(),
        TestRegistry.part(5, 5).build());
    read(0);
    read(5);
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
    assertThat(store.server.getRequestCount()).isEqualTo(3);
  }

  @Test
  void read_redirectedToItself_isALoop() {
    registry.enqueue(TestRegistry.redirect("/v2/some/image/blobs/" + TestRegistry.DIGEST));
    FetchException e = fails(0);
    assertThat(e).hasMessageContaining("redirected in a loop");
    assertThat(e.reason()).isEqualTo(Reason.PROTOCOL);
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
  }

  @Test
  void read_redirectedToAndFro_isALoop() {
    registry.enqueue(TestRegistry.redirect("/a"), TestRegistry.redirect("/b"));
    registry.enqueue(TestRegistry.redirect("/a"));
    assertThat(fails(0)).hasMessageContaining("redirected in a loop");
    assertThat(registry.server.getRequestCount()).isEqualTo(3);
  }

  @Test
  void read_redirectedForEver_isBounded() {
    for (int i = 0; i < 20; i++) {
      registry.enqueue(TestRegistry.redirect("/hop" + i));
    }
    assertThat(fails(0)).hasMessageContaining("more than " + Limits.REDIRECTS + " times");
    assertThat(registry.server.getRequestCount()).isEqualTo(Limits.REDIRECTS + 1);
  }

  @Test
  void read_redirectedToNoUrl_isRefused() {
    registry.enqueue(TestRegistry.redirect("ftp://somewhere/else"));
    assertThat(fails(0)).hasMessageContaining("what is no HTTP URL");
  }

  @Test
  void read_redirectWithoutLocation_isRefused() {
    registry.enqueue(TestRegistry.status(307));
    assertThat(fails(0)).hasMessageContaining("status 307");
  }

  @ParameterizedTest
  @CsvSource({
    "X-Amz-Date=20260101T000000Z&X-Amz-Expires=300, 270",
    "X-Goog-Date=20260101T000000Z&X-Goog-Expires=300, 270",
    "Expires=1767226200, 570",
    "se=2026-01-01T00:10:00Z, 570",
    "Expires=never, 120",
    "X-Amz-Date=20260101T000000Z&X-Amz-Expires=99999999999999999999, 120",
    "Expires=1999999999, 3600",
    "a=b, 120",
  })
  void target_expiresAsTheUrlSays(String query, long seconds) {
    Instant[] now = {Instant.parse("2026-01-01T00:00:00Z")};
    InstantSource clock = () -> now[0];
    RedirectCache cache = new RedirectCache(clock);
    HttpUrl origin = HttpUrl.get("https://registry.example/v2/a/blobs/x");
    HttpUrl target = HttpUrl.get("https://store.example/x?" + query);
    cache.remember(origin, target);
    now[0] = now[0].plusSeconds(seconds - 1);
    assertThat(cache.target(origin)).isEqualTo(Optional.of(target));
    now[0] = now[0].plus(Duration.ofSeconds(1));
    assertThat(cache.target(origin)).isEmpty();
  }

  private MockResponse toStore(String path) {
    return TestRegistry.redirect("http://" + store.host() + '/' + path + "?Signature=secret");
  }

  private void read(int offset) throws IOException, InterruptedException {
    ByteBuffer into = ByteBuffer.allocate(5);
    client.read(TestRegistry.DIGEST, Set.of(registry.repository()), offset, into, Lane.DEMAND);
    assertThat(into.array()).isEqualTo(TestRegistry.slice(offset, 5));
  }

  private FetchException fails(int offset) {
    FetchException e = catchThrowableOfType(FetchException.class, () -> read(offset));
    assertThat(e).isNotNull();
    return e;
  }
}
