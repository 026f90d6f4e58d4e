package sluice.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import sluice.core.Digest;

class FaultyRegistryIT {

  private static final Digest BLOB =
      Fixtures.of("one").document("src").layers().getFirst().digest();

  private static DockerRegistry behind;

  private final HttpClient client = HttpClient.newHttpClient();
  private FaultyRegistry registry;
  private byte[] content;

  @BeforeAll
  static void push() throws Exception {
    behind = DockerRegistry.open();
    LayoutPush.push(Fixtures.of("one").directory(), behind.host(), "one");
  }

  @AfterAll
  static void endRegistry() throws IOException {
    behind.close();
  }

  @BeforeEach
  void open() throws IOException {
    registry = FaultyRegistry.before(behind);
    content = Files.readAllBytes(Fixtures.of("one").blob(BLOB));
  }

  @AfterEach
  void close() {
    registry.close();
    client.shutdownNow();
    client.close();
  }

  @Test
  void inOrder_answersRangesAndCountsThem() throws Exception {
    HttpResponse<byte[]> response = get(10, 19);
    assertThat(response.statusCode()).isEqualTo(206);
    assertThat(response.body()).isEqualTo(Arrays.copyOfRange(content, 10, 20));
    assertThat(registry.requestsFor(BLOB))
        .singleElement()
        .extracting(FaultyRegistry.Request::range)
        .isEqualTo(Optional.of(new FaultyRegistry.Range(10, 19)));
  }

  @Test
  void wrongByte_isWrongUntilMended() throws Exception {
    registry.fail(request -> request.isFor(BLOB), new RegistryFault.WrongByte(12));
    byte[] wrong = Arrays.copyOfRange(content, 10, 20);
    wrong[2] ^= (byte) 0xff;
    assertThat(get(10, 19).body()).isEqualTo(wrong);
    assertThat(get(13, 19).body()).isEqualTo(Arrays.copyOfRange(content, 13, 20));
    registry.mend();
    assertThat(get(10, 19).body()).isEqualTo(Arrays.copyOfRange(content, 10, 20));
  }

  @Test
  void wholeInsteadOfRange_is200() throws Exception {
    registry.fail(new RegistryFault.WholeInsteadOfRange());
    HttpResponse<byte[]> response = get(10, 19);
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body()).isEqualTo(content);
  }

  @Test
  void shortBody_endsTheConnection() {
    registry.fail(new RegistryFault.ShortBody(3));
    assertThatThrownBy(() -> get(10, 19))
        .isInstanceOf(IOException.class)
        .isNotInstanceOf(HttpTimeoutException.class);
  }

  @Test
  void statuses_areAnswered() throws Exception {
    registry.fail(new RegistryFault.Status(403));
    assertThat(get(10, 19).statusCode()).isEqualTo(403);
    registry.fail(new RegistryFault.TooManyRequests(Duration.ofSeconds(7)));
    HttpResponse<byte[]> response = get(10, 19);
    assertThat(response.statusCode()).isEqualTo(429);
    assertThat(response.headers().firstValue("Retry-After")).contains("7");
    registry.fail(new RegistryFault.RedirectLoop());
    response = get(10, 19);
    assertThat(response.statusCode()).isEqualTo(307);
    assertThat(response.headers().firstValue("Location")).isPresent();
  }

  @Test
  void hang_answersOnceItIsMended() throws Exception {
    registry.fail(new RegistryFault.Hang());
    var waiting = client.sendAsync(request(10, 19).build(), BodyHandlers.ofByteArray());
    assertThatThrownBy(() ->
            client.send(
                request(10, 19).timeout(Duration.ofMillis(300)).build(),
                BodyHandlers.ofByteArray()))
        .isInstanceOf(HttpTimeoutException.class);
    assertThat(waiting).isNotDone();
    registry.mend();
    assertThat(waiting)
        .succeedsWithin(Duration.ofSeconds(10))
        .satisfies(
            response -> assertThat(response.body()).isEqualTo(Arrays.copyOfRange(content, 10, 20)));
  }

  private HttpResponse<byte[]> get(int first, int last) throws Exception {
    return client.send(
        request(first, last).timeout(Duration.ofSeconds(10)).build(), BodyHandlers.ofByteArray());
  }

  private HttpRequest.Builder request(int first, int last) {
    return HttpRequest.newBuilder(URI.create("http://" + registry.host() + "/v2/one/blobs/" + BLOB))
        .header("Range", "bytes=" + first + "-" + last);
  }
}
