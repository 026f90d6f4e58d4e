package sluice.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import mockwebserver3.MockResponse;
import mockwebserver3.SocketEffect;
import okio.Buffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import sluice.core.FetchException;
import sluice.core.Lane;

@Timeout(30)
class BlobStreamTest {

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

  @Test
  void open_whole_isRead() throws Exception {
    registry.enqueue(TestRegistry.whole().build());
    try (InputStream stream = open()) {
      assertThat(stream.read()).isEqualTo(TestRegistry.BLOB[0] & 0xff);
      byte[] rest = stream.readAllBytes();
      assertThat(rest).isEqualTo(TestRegistry.slice(1, TestRegistry.BLOB.length - 1));
      assertThat(stream.read()).isEqualTo(-1);
    }
    assertThat(registry.request().getHeaders().get("Range")).isNull();
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
  }

  @Test
  void open_lengthUnknown_isReadToItsEnd() throws Exception {
    registry.enqueue(
        new MockResponse.Builder()
            .chunkedBody(new Buffer().write(TestRegistry.BLOB), 1000)
            .build());
    try (InputStream stream = open()) {
      assertThat(stream.readAllBytes()).isEqualTo(TestRegistry.BLOB);
    }
  }

  @Test
  void read_connectionBreaks_goesOnWhereItBroke() throws Exception {
    registry.enqueue(broken(TestRegistry.whole()));
    registry.server.enqueue(rest(50_000).build());
    try (InputStream stream = open()) {
      byte[] got = stream.readNBytes(10);
      assertThat(got).isEqualTo(TestRegistry.slice(0, 10));
      registry.request();
      byte[] more = stream.readAllBytes();
      assertThat(more).isEqualTo(TestRegistry.slice(10, TestRegistry.BLOB.length - 10));
    }
    assertThat(registry.request().getHeaders().get("Range")).isEqualTo("bytes=50000-");
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
  }

  @Test
  void read_resumedElsewhere_isRefused() throws Exception {
    registry.enqueue(broken(TestRegistry.whole()), rest(50_001).build());
    try (InputStream stream = open()) {
      assertThatThrownBy(stream::readAllBytes)
          .isInstanceOf(FetchException.class)
          .hasMessageContaining("status 206 with another Content-Range");
    }
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
  }

  @Test
  void read_resumedWithAnotherLength_isRefused() throws Exception {
    registry.enqueue(
        broken(TestRegistry.whole()),
        rest(50_000).setHeader("Content-Range", "bytes 50000-99999/100001").build());
    try (InputStream stream = open()) {
      assertThatThrownBy(stream::readAllBytes)
          .isInstanceOf(FetchException.class)
          .hasMessageContaining("a length of 100001 bytes, before it was 100000");
    }
  }

  @Test
  void read_serverIgnoresRange_isRefused() throws Exception {
    registry.enqueue(broken(TestRegistry.whole()), TestRegistry.whole().build());
    try (InputStream stream = open()) {
      assertThatThrownBy(stream::readAllBytes)
          .isInstanceOf(FetchException.class)
          .hasMessageContaining("status 200");
    }
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
  }

  @Test
  void read_breaksEachTimeWithoutAByte_isBounded() throws Exception {
    registry.enqueue(broken(TestRegistry.whole()));
    for (int i = 0; i < 10; i++) {
      registry.enqueue(rest(50_000).bodyDelay(10, TimeUnit.SECONDS).build());
    }
    try (InputStream stream = open()) {
      assertThatThrownBy(stream::readAllBytes)
          .isInstanceOf(FetchException.class)
          .hasMessageContaining("broke 3 times in a row at byte 50000");
    }
    assertThat(registry.server.getRequestCount()).isEqualTo(4);
  }

  @Test
  void read_interrupted_endsAtOnce() throws Exception {
    registry.enqueue(TestRegistry.whole().throttleBody(10, 100, TimeUnit.MILLISECONDS).build());
    Throwable[] thrown = new Throwable[1];
    boolean[] flag = new boolean[1];
    Thread reader =
        Thread.ofPlatform()
            .start(() -> {
              try (InputStream stream = open()) {
                stream.readAllBytes();
              } catch (IOException | InterruptedException e) {
                thrown[0] = e;
                flag[0] = Thread.currentThread().isInterrupted();
              }
            });
    registry.request();
    Thread.sleep(250);
    long start = System.nanoTime();
    reader.interrupt();
    reader.join();
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofMillis(500));
    assertThat(thrown[0]).isInstanceOf(InterruptedIOException.class);
    assertThat(flag[0]).isTrue();
  }

  @Test
  void open_whileManyStreamsAreOpen_rangesStillHaveConnections() throws Exception {
    List<InputStream> open = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      registry.enqueue(TestRegistry.whole().throttleBody(1, 1, TimeUnit.SECONDS).build());
      open.add(open());
    }
    registry.enqueue(TestRegistry.part(0, 1).build());
    client.read(
        TestRegistry.DIGEST, Set.of(registry.repository()), 0, ByteBuffer.allocate(1), Lane.FILL);
    for (InputStream stream : open) {
      stream.close();
    }
  }

  @Test
  void open_404_isNotFound() {
    registry.enqueue(TestRegistry.status(404));
    assertThatThrownBy(this::open)
        .isInstanceOfSatisfying(
            FetchException.class,
            e -> assertThat(e.reason()).isEqualTo(FetchException.Reason.NOT_FOUND));
  }

  @Test
  void close_manyUnreadStreams_leavesTheirSlotsFree() throws Exception {
    for (int i = 0; i < 40; i++) {
      registry.enqueue(TestRegistry.whole().build());
      open().close();
    }
    assertThat(registry.server.getRequestCount()).isEqualTo(40);
  }

  /** Sends half of the body, as MockWebServer does before it obeys. */
  private static MockResponse broken(MockResponse.Builder response) {
    return response.onResponseBody(new SocketEffect.CloseSocket()).build();
  }

  private static MockResponse.Builder rest(int from) {
    return TestRegistry.part(from, TestRegistry.BLOB.length - from);
  }

  private InputStream open() throws IOException, InterruptedException {
    return client.open(TestRegistry.DIGEST, Set.of(registry.repository()), Lane.FILL);
  }
}
