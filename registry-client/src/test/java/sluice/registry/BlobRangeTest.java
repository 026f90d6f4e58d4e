package sluice.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import mockwebserver3.MockResponse;
import mockwebserver3.RecordedRequest;
import mockwebserver3.SocketEffect;
import okio.Buffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.FetchException;
import sluice.core.FetchException.Reason;
import sluice.core.Lane;
import sluice.core.Repository;

@Timeout(30)
class BlobRangeTest {

  private TestRegistry registry;
  private RegistryClient client;

  @BeforeEach
  void start() throws IOException {
    registry = TestRegistry.start();
    client = registry.client();
  }

  @AfterEach
  void stop() {
    client.close();
    registry.close();
  }

  @ParameterizedTest
  @EnumSource(Lane.class)
  void read_range_isAskedForAndGiven(Lane lane) throws Exception {
    registry.enqueue(TestRegistry.part(10, 20).build());
    assertThat(read(10, 20, lane)).isEqualTo(TestRegistry.slice(10, 20));
    RecordedRequest request = registry.request();
    assertThat(request.getTarget()).isEqualTo("/v2/some/image/blobs/" + TestRegistry.DIGEST);
    assertThat(request.getHeaders().get("Range")).isEqualTo("bytes=10-29");
    assertThat(request.getHeaders().get("Accept-Encoding")).isEqualTo("identity");
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
    assertThat(registry.events).containsExactly(lane + " answered 206", lane + " received 20");
  }

  @Test
  void read_nothing_asksNothing() throws Exception {
    assertThat(read(10, 0)).isEmpty();
    assertThat(registry.server.getRequestCount()).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bytes 11-30/100000",
        "bytes 10-28/100000",
        "bytes 10-29",
        "bytes 10-99999999999999999999/*",
        "items 10-29/100000",
        ""
      })
  void read_wrongContentRange_isRefusedAtOnce(String header) throws Exception {
    registry.enqueue(TestRegistry.part(10, 20).setHeader("Content-Range", header).build());
    assertFails(10, 20, Reason.PROTOCOL, "status 206 with Content-Range \"" + header + "\"");
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
  }

  @Test
  void read_unknownTotal_isAccepted() throws Exception {
    registry.enqueue(TestRegistry.part(10, 20).setHeader("Content-Range", "bytes 10-29/*").build());
    assertThat(read(10, 20)).isEqualTo(TestRegistry.slice(10, 20));
  }

  @Test
  void read_bodyShorterByItsLength_isRefused() throws Exception {
    registry.enqueue(
        TestRegistry.part(10, 20).body(new Buffer().write(TestRegistry.BLOB, 10, 19)).build());
    assertFails(10, 20, Reason.PROTOCOL, "a body of 19 bytes");
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
    assertThat(registry.events).containsExactly("DEMAND answered 206", "DEMAND failed PROTOCOL");
  }

  @Test
  void read_bodyLongerByItsLength_isRefused() throws Exception {
    registry.enqueue(
        TestRegistry.part(10, 20).body(new Buffer().write(TestRegistry.BLOB, 10, 21)).build());
    assertFails(10, 20, Reason.PROTOCOL, "a body of 21 bytes");
  }

  @Test
  void read_bodyLongerInChunks_isRefused() throws Exception {
    registry.enqueue(
        TestRegistry.part(10, 20)
            .chunkedBody(new Buffer().write(TestRegistry.BLOB, 10, 21), 7)
            .build());
    assertFails(10, 20, Reason.PROTOCOL, "more than the 20 bytes asked for");
  }

  @Test
  void read_bodyShorterInChunks_isTriedAgain() throws Exception {
    registry.enqueue(
        TestRegistry.part(10, 20)
            .chunkedBody(new Buffer().write(TestRegistry.BLOB, 10, 19), 7)
            .build(),
        TestRegistry.part(10, 20).build());
    assertThat(read(10, 20)).isEqualTo(TestRegistry.slice(10, 20));
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
  }

  @Test
  void read_connectionBreaksInTheBody_isTriedAgainFromTheStart() throws Exception {
    registry.enqueue(
        TestRegistry.part(0, 50_000).onResponseBody(new SocketEffect.CloseSocket()).build(),
        TestRegistry.part(0, 50_000).build());
    assertThat(read(0, 50_000)).isEqualTo(TestRegistry.slice(0, 50_000));
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
    assertThat(registry.pauses).hasSize(1);
    assertThat(registry.pauses.getFirst()).isLessThan(Duration.ofMillis(200));
  }

  @Test
  void read_rangeIgnored_dropsWhatLiesBefore() throws Exception {
    registry.enqueue(TestRegistry.whole().build());
    assertThat(read(70_000, 20)).isEqualTo(TestRegistry.slice(70_000, 20));
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
    assertThat(registry.events).contains("DEMAND received 70020");
  }

  @Test
  void read_rangeIgnoredAndFarAway_isRefused() throws Exception {
    registry.enqueue(
        new MockResponse.Builder()
            .code(200)
            .chunkedBody(new Buffer().write(new byte[100]), 10)
            .build());
    assertFails(Limits.SKIPPED_BYTES, 1, Reason.PROTOCOL, "this server ignores Range");
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
  }

  @Test
  void read_rangeIgnoredAndBlobTooShort_isRefused() throws Exception {
    registry.enqueue(TestRegistry.whole().build());
    assertFails(99_990, 20, Reason.PROTOCOL, "ends before the range");
  }

  @Test
  void read_416_isRefused() throws Exception {
    registry.enqueue(TestRegistry.status(416));
    assertFails(200_000, 20, Reason.PROTOCOL, "status 416");
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
  }

  @Test
  void read_404_saysWhatTheRegistrySaid() throws Exception {
    registry.enqueue(TestRegistry.error(404, "BLOB_UNKNOWN", "blob unknown to registry"));
    FetchException e = fails(10, 20);
    assertThat(e.reason()).isEqualTo(Reason.NOT_FOUND);
    assertThat(e.status()).isEqualTo(404);
    assertThat(e.getMessage())
        .isEqualTo(
            "GET %s/v2/some/image/blobs/%s (bytes=10-29): status 404 BLOB_UNKNOWN: blob unknown to registry"
                .formatted(registry.host(), TestRegistry.DIGEST));
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
  }

  @Test
  void read_hugeErrorBody_isCutShort() throws Exception {
    registry.enqueue(
        new MockResponse.Builder()
            .code(404)
            .addHeader("Content-Type", "text/plain")
            .body("x".repeat(10_000_000))
            .build());
    assertThat(fails(10, 20).getMessage()).hasSizeLessThan(700).endsWith("xxx…");
  }

  @ParameterizedTest
  @ValueSource(ints = {500, 502, 503, 504, 408})
  void read_temporaryStatus_isTriedFiveTimesWithPausesThatGrow(int status) throws Exception {
    for (int i = 0; i < Failover.ROUNDS; i++) {
      registry.enqueue(TestRegistry.status(status));
    }
    FetchException e = fails(10, 20);
    assertThat(e.status()).isEqualTo(status);
    assertThat(e.temporary()).isTrue();
    assertThat(registry.server.getRequestCount()).isEqualTo(5);
    assertThat(registry.pauses).hasSize(4);
    for (int i = 0; i < 4; i++) {
      assertThat(registry.pauses.get(i)).isLessThan(Duration.ofMillis(200L << i));
    }
  }

  @Test
  void read_503ThenGood_succeeds() throws Exception {
    registry.enqueue(TestRegistry.status(503), TestRegistry.part(10, 20).build());
    assertThat(read(10, 20)).isEqualTo(TestRegistry.slice(10, 20));
    assertThat(registry.events)
        .containsExactly(
            "DEMAND answered 503",
            "DEMAND failed SERVER_ERROR",
            "DEMAND answered 206",
            "DEMAND received 20");
  }

  @Test
  void read_429WithSeconds_waitsThatLong() throws Exception {
    registry.enqueue(
        new MockResponse.Builder().code(429).addHeader("Retry-After", "2").build(),
        TestRegistry.part(10, 20).build());
    assertThat(read(10, 20)).isEqualTo(TestRegistry.slice(10, 20));
    assertThat(registry.pauses).containsExactly(Duration.ofSeconds(2));
  }

  @Test
  void read_429WithDate_waitsUntilThen() throws Exception {
    String date =
        DateTimeFormatter.RFC_1123_DATE_TIME.format(
            Instant.now().plusSeconds(2).atOffset(ZoneOffset.UTC));
    registry.enqueue(
        new MockResponse.Builder().code(429).addHeader("Retry-After", date).build(),
        TestRegistry.part(10, 20).build());
    assertThat(read(10, 20)).isEqualTo(TestRegistry.slice(10, 20));
    assertThat(registry.pauses).hasSize(1);
    assertThat(registry.pauses.getFirst()).isBetween(Duration.ofMillis(500), Duration.ofSeconds(3));
  }

  @Test
  void read_429BeyondTheDeadline_failsAtOnce() throws Exception {
    registry.enqueue(new MockResponse.Builder().code(429).addHeader("Retry-After", "3600").build());
    assertFails(10, 20, Reason.THROTTLED, "status 429");
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
    assertThat(registry.pauses).isEmpty();
  }

  @Test
  void read_neverAnswered_endsByTheIdleTimeout() throws Exception {
    for (int i = 0; i < 10; i++) {
      registry.enqueue(
          new MockResponse.Builder().onResponseStart(SocketEffect.Stall.INSTANCE).build());
    }
    long start = System.nanoTime();
    assertFails(10, 20, Reason.UNREACHABLE, "timed out");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
  }

  @Test
  void read_bodyDrips_endsByTheDeadline() throws Exception {
    registry.enqueue(
        TestRegistry.part(0, 1000).throttleBody(1, 200, TimeUnit.MILLISECONDS).build());
    long start = System.nanoTime();
    assertFails(0, 1000, Reason.UNREACHABLE, "timed out: not done before the deadline");
    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .isBetween(Duration.ofSeconds(2), Duration.ofSeconds(5));
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
  }

  @Test
  void read_interrupted_endsAtOnceAndTouchesTheBufferNoMore() throws Exception {
    registry.enqueue(
        TestRegistry.part(0, 1000).throttleBody(10, 100, TimeUnit.MILLISECONDS).build());
    ByteBuffer into = ByteBuffer.allocate(1000);
    Throwable[] thrown = new Throwable[1];
    Thread reader =
        Thread.ofPlatform()
            .start(() -> {
              try {
                client.read(
                    TestRegistry.DIGEST, Set.of(registry.repository()), 0, into, Lane.DEMAND);
              } catch (IOException | InterruptedException e) {
                thrown[0] = e;
              }
            });
    registry.request();
    Thread.sleep(250);
    long start = System.nanoTime();
    reader.interrupt();
    reader.join();
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofMillis(500));
    assertThat(thrown[0]).isInstanceOf(InterruptedException.class);
    int position = into.position();
    Thread.sleep(300);
    assertThat(into.position()).isEqualTo(position);
  }

  @Test
  void read_nobodyListens_isUnreachable() throws Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    Repository nowhere = new Repository.InRegistry("127.0.0.1:" + port, "a");
    FetchException e =
        catchThrowableOfType(
            FetchException.class,
            () ->
                client.read(
                    TestRegistry.DIGEST, Set.of(nowhere), 0, ByteBuffer.allocate(1), Lane.DEMAND));
    assertThat(e.reason()).isEqualTo(Reason.UNREACHABLE);
    assertThat(registry.pauses).hasSize(4);
  }

  @Test
  void read_secondHolderAnswers_isAskedFirstTheNextTime() throws Exception {
    try (TestRegistry other = TestRegistry.start()) {
      registry.enqueue(TestRegistry.status(503));
      other.enqueue(TestRegistry.part(10, 20).build(), TestRegistry.part(30, 5).build());
      Set<Repository> holders =
          new LinkedHashSet<>(List.of(registry.repository(), other.repository()));
      ByteBuffer first = ByteBuffer.allocate(20);
      client.read(TestRegistry.DIGEST, holders, 10, first, Lane.DEMAND);
      ByteBuffer second = ByteBuffer.allocate(5);
      client.read(TestRegistry.DIGEST, holders, 30, second, Lane.DEMAND);
      assertThat(first.array()).isEqualTo(TestRegistry.slice(10, 20));
      assertThat(second.array()).isEqualTo(TestRegistry.slice(30, 5));
      assertThat(registry.server.getRequestCount()).isEqualTo(1);
      assertThat(other.server.getRequestCount()).isEqualTo(2);
      assertThat(registry.pauses).isEmpty();
    }
  }

  @Test
  void read_hangingHost_doesNotStopAnother() throws Exception {
    try (TestRegistry other = TestRegistry.start()) {
      List<Thread> stuck =
          IntStream.range(0, 40)
              .mapToObj(i -> {
                registry.enqueue(
                    new MockResponse.Builder()
                        .onResponseStart(SocketEffect.Stall.INSTANCE)
                        .build());
                return Thread.ofVirtual().start(() -> assertThatThrownBy(() -> read(0, 1)));
              })
              .toList();
      Thread.sleep(100);
      other.enqueue(TestRegistry.part(10, 20).build());
      long start = System.nanoTime();
      ByteBuffer into = ByteBuffer.allocate(20);
      client.read(TestRegistry.DIGEST, Set.of(other.repository()), 10, into, Lane.DEMAND);
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofMillis(400));
      assertThat(registry.server.getRequestCount()).isLessThanOrEqualTo(16);
      for (Thread thread : stuck) {
        thread.interrupt();
      }
      for (Thread thread : stuck) {
        thread.join();
      }
    }
  }

  @Test
  void read_badRepositoryName_asksNothing() {
    Repository bad = new Repository.InRegistry(registry.host(), "../../admin");
    assertThatThrownBy(() ->
            client.read(TestRegistry.DIGEST, Set.of(bad), 0, ByteBuffer.allocate(1), Lane.DEMAND))
        .isInstanceOf(FetchException.class)
        .hasMessageContaining("no repository name");
    assertThat(registry.server.getRequestCount()).isZero();
  }

  @Test
  void read_errorBodyWithASignedUrl_hidesTheQuery() throws Exception {
    registry.enqueue(
        new MockResponse.Builder()
            .code(404)
            .addHeader("Content-Type", "text/plain")
            .body("no https://cdn.example/x?Signature=abcdef here")
            .build());
    assertThat(fails(10, 20).getMessage())
        .doesNotContain("abcdef")
        .endsWith("no https://cdn.example/x?… here");
  }

  private byte[] read(int offset, int length) throws IOException, InterruptedException {
    return read(offset, length, Lane.DEMAND);
  }

  private byte[] read(int offset, int length, Lane lane) throws IOException, InterruptedException {
    ByteBuffer into = ByteBuffer.allocate(length);
    client.read(TestRegistry.DIGEST, Set.of(registry.repository()), offset, into, lane);
    assertThat(into.hasRemaining()).isFalse();
    return into.array();
  }

  private FetchException fails(int offset, int length) {
    FetchException e = catchThrowableOfType(FetchException.class, () -> read(offset, length));
    assertThat(e).isNotNull();
    return e;
  }

  private void assertFails(int offset, int length, Reason reason, String message) {
    FetchException e = fails(offset, length);
    assertThat(e).hasMessageContaining(message).hasMessageContaining(registry.host());
    assertThat(e.reason()).isEqualTo(reason);
  }
}
