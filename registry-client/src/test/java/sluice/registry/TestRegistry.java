package sluice.registry;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okio.Buffer;
import okio.ByteString;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.Lane;
import sluice.core.Repository;

/**
 * A scripted registry on a loopback port, and a client for it that does not really wait between its
 * attempts but writes down how long it would have.
 */
final class TestRegistry implements Closeable {

  static final RegistryConfig.Timeouts SHORT =
      new RegistryConfig.Timeouts(
          Duration.ofSeconds(2),
          Duration.ofMillis(500),
          Duration.ofSeconds(3),
          Duration.ofSeconds(5));

  /** Content of a blob whose bytes differ from offset to offset. */
  static final byte[] BLOB = blob(100_000);

  static final Digest DIGEST = Digest.sha256(BLOB);

  final MockWebServer server = new MockWebServer();
  final List<Duration> pauses = Collections.synchronizedList(new ArrayList<>());
  final List<String> events = Collections.synchronizedList(new ArrayList<>());

  private TestRegistry() {}

  static TestRegistry start() throws IOException {
    TestRegistry registry = new TestRegistry();
    registry.server.start(InetAddress.getLoopbackAddress(), 0);
    return registry;
  }

  /** Its {@link #server} is to be set up and started by the caller. */
  static TestRegistry unstarted() {
    return new TestRegistry();
  }

  /** A client that finds no credentials. */
  RegistryClient client() throws IOException {
    return client(SHORT, Map.of("DOCKER_CONFIG", "/nonexistent"));
  }

  RegistryClient client(Path dockerConfig) throws IOException {
    return client(SHORT, Map.of("DOCKER_CONFIG", dockerConfig.toString()));
  }

  RegistryClient client(RegistryConfig.Timeouts timeouts, Map<String, String> environment)
      throws IOException {
    Map<String, String> all = new HashMap<>(environment);
    all.putIfAbsent("PATH", "/usr/bin:/bin");
    RegistryConfig config = RegistryConfig.ofProcess().withTimeouts(timeouts).withEnvironment(all);
    return RegistryClient.open(
        config, listener(), new DirectEndpoints(config.plainHttpHosts()), pauses::add);
  }

  FetchListener listener() {
    return new FetchListener() {
      @Override
      public void answered(Lane lane, int status, Duration latency) {
        events.add(lane + " answered " + status);
      }

      @Override
      public void received(Lane lane, long lengthBytes) {
        events.add(lane + " received " + lengthBytes);
      }

      @Override
      public void failed(Lane lane, FetchException.Reason reason) {
        events.add(lane + " failed " + reason);
      }
    };
  }

  /** {@code 127.0.0.1:PORT}. */
  String host() {
    return "127.0.0.1:" + server.getPort();
  }

  Repository.InRegistry repository() {
    return new Repository.InRegistry(host(), "some/image");
  }

  void enqueue(MockResponse... responses) {
    for (MockResponse response : responses) {
      server.enqueue(response);
    }
  }

  /** The next request that came in; fails if there was none. */
  RecordedRequest request() throws InterruptedException {
    RecordedRequest request = server.takeRequest(1, TimeUnit.SECONDS);
    if (request == null) {
      throw new AssertionError("no more requests came to " + host());
    }
    return request;
  }

  static String body(RecordedRequest request) {
    ByteString body = request.getBody();
    return body == null ? "" : body.utf8();
  }

  static MockResponse status(int status) {
    return new MockResponse.Builder().code(status).build();
  }

  static MockResponse error(int status, String code, String message) {
    return new MockResponse.Builder()
        .code(status)
        .addHeader("Content-Type", "application/json")
        .body("{\"errors\":[{\"code\":\"" + code + "\",\"message\":\"" + message + "\"}]}")
        .build();
  }

  static MockResponse redirect(String location) {
    return new MockResponse.Builder().code(307).addHeader("Location", location).build();
  }

  /** The right answer for a range of {@link #BLOB}. */
  static MockResponse.Builder part(int offset, int length) {
    return new MockResponse.Builder()
        .code(206)
        .addHeader(
            "Content-Range", "bytes " + offset + '-' + (offset + length - 1) + '/' + BLOB.length)
        .body(new Buffer().write(BLOB, offset, length));
  }

  /** The whole {@link #BLOB}. */
  static MockResponse.Builder whole() {
    return new MockResponse.Builder().code(200).body(new Buffer().write(BLOB));
  }

  static byte[] slice(int offset, int length) {
    return Arrays.copyOfRange(BLOB, offset, offset + length);
  }

  @Override
  public void close() {
    server.close();
  }

  private static byte[] blob(int length) {
    byte[] bytes = new byte[length];
    new Random(42).nextBytes(bytes);
    return bytes;
  }
}
