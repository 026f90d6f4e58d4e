package sluice.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import sluice.core.Digest;

/**
 * A registry on a loopback port that fails as it is told: it hands requests to a {@link
 * DockerRegistry}, counts them, and spoils the answers. It is read-only; push to the registry
 * behind it. Bodies are held in memory.
 *
 * <p>Safe for many threads. Closing it ends every connection and leaves the registry behind it.
 */
public final class FaultyRegistry implements Closeable {

  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Pattern BLOB = Pattern.compile("/v2/.*/blobs/(?<digest>[^/]+)");
  private static final Pattern RANGE = Pattern.compile("bytes=(?<first>\\d+)-(?<last>\\d+)");

  /** What both sides of the proxy say to each other. */
  private static final List<String> REQUEST_HEADERS = List.of("Accept", "Authorization", "Range");

  private static final List<String> RESPONSE_HEADERS =
      List.of("Content-Type", "Content-Range", "Docker-Content-Digest", "ETag", "WWW-Authenticate");

  private final DockerRegistry behind;
  private final HttpServer server;
  private final HttpClient client;
  private final ExecutorService threads;
  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private volatile Rule rule = new Rule(request -> false, new RegistryFault.Hang());

  /**
   * What somebody asked for.
   *
   * @param blob the blob, if it is one
   * @param range the bytes of it, if not all
   */
  public record Request(String method, String path, Optional<Digest> blob, Optional<Range> range) {

    /** Whether it asks for this blob, or a part of it. */
    public boolean isFor(Digest digest) {
      return method.equals("GET") && blob.filter(digest::equals).isPresent();
    }

    /** Whether the answer holds the byte at {@code offset} of the blob. */
    boolean covers(long offset) {
      return range.map(some -> some.first <= offset && offset <= some.last).orElse(true);
    }
  }

  /** Bytes of a blob, the last one included. */
  public record Range(long first, long last) {}

  /** Faults end when {@code mended} is counted down. */
  private record Rule(Predicate<Request> hit, RegistryFault fault, CountDownLatch mended) {
    Rule(Predicate<Request> hit, RegistryFault fault) {
      this(hit, fault, new CountDownLatch(1));
    }
  }

  private FaultyRegistry(
      DockerRegistry behind, HttpServer server, HttpClient client, ExecutorService threads) {
    this.behind = behind;
    this.server = server;
    this.client = client;
    this.threads = threads;
  }

  /** Starts one that is in order; {@code behind} stays the caller's. */
  public static FaultyRegistry before(DockerRegistry behind) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    FaultyRegistry registry =
        new FaultyRegistry(
            behind,
            server,
            HttpClient.newHttpClient(),
            Executors.newVirtualThreadPerTaskExecutor());
    server.setExecutor(registry.threads);
    server.createContext("/", registry::handle);
    server.start();
    return registry;
  }

  /** {@code 127.0.0.1:PORT}, as the first part of a reference. */
  public String host() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  /** All requests so far, oldest first, those that got no answer too. */
  public List<Request> requests() {
    return List.copyOf(requests);
  }

  /** The requests for a blob or parts of it. */
  public List<Request> requestsFor(Digest blob) {
    return requests.stream().filter(request -> request.isFor(blob)).toList();
  }

  /** Forgets the requests so far. */
  public void forgetRequests() {
    requests.clear();
  }

  /** Spoils every answer from now on. */
  public void fail(RegistryFault fault) {
    fail(request -> true, fault);
  }

  /** Spoils some answers from now on, instead of those that were spoiled until now. */
  public void fail(Predicate<Request> some, RegistryFault fault) {
    replace(new Rule(some, fault));
  }

  /** Answers rightly from now on, those that hang included. */
  public void mend() {
    replace(new Rule(request -> false, new RegistryFault.Hang()));
  }

  @Override
  public void close() {
    mend();
    server.stop(0);
    threads.shutdownNow();
    client.shutdownNow();
    client.close();
  }

  @Override
  public String toString() {
    return "faulty registry on " + host();
  }

  private synchronized void replace(Rule next) {
    Rule last = rule;
    rule = next;
    last.mended.countDown();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      Request request = request(exchange);
      requests.add(request);
      Rule now = rule;
      if (now.hit.test(request)) {
        spoil(exchange, request, now);
      } else {
        answer(exchange, request, forward(exchange, request, true));
      }
    } catch (InterruptedException e) {
      // close() ends the threads; the connection ends with the exchange.
      Thread.currentThread().interrupt();
    }
  }

  private void spoil(HttpExchange exchange, Request request, Rule now)
      throws IOException, InterruptedException {
    switch (now.fault) {
      case RegistryFault.WrongByte(long offset) -> {
        HttpResponse<byte[]> right = forward(exchange, request, true);
        long index = offset - request.range.map(Range::first).orElse(0L);
        if (request.covers(offset) && index < right.body().length) {
          right.body()[(int) index] ^= (byte) 0xff;
        }
        answer(exchange, request, right);
      }
      case RegistryFault.WholeInsteadOfRange() ->
          answer(exchange, request, forward(exchange, request, false));
      case RegistryFault.ShortBody(int bytes) -> {
        HttpResponse<byte[]> right = forward(exchange, request, true);
        begin(exchange, right);
        write(exchange, right.body(), Math.min(bytes, right.body().length));
      }
      case RegistryFault.Status(int code) -> exchange.sendResponseHeaders(code, -1);
      case RegistryFault.TooManyRequests(Duration retryAfter) -> {
        exchange.getResponseHeaders().set("Retry-After", Long.toString(retryAfter.toSeconds()));
        exchange.sendResponseHeaders(429, -1);
      }
      case RegistryFault.RedirectLoop() -> {
        exchange.getResponseHeaders().set("Location", request.path + "?again=" + requests.size());
        exchange.sendResponseHeaders(307, -1);
      }
      case RegistryFault.Hang() -> {
        now.mended.await();
        answer(exchange, request, forward(exchange, request, true));
      }
    }
  }

  private HttpResponse<byte[]> forward(HttpExchange exchange, Request request, boolean withRange)
      throws IOException, InterruptedException {
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(URI.create("http://" + behind.host() + exchange.getRequestURI()))
            .timeout(LIMIT)
            .method(request.method, HttpRequest.BodyPublishers.noBody());
    for (String name : REQUEST_HEADERS) {
      if (withRange || !name.equals("Range")) {
        exchange
            .getRequestHeaders()
            .getOrDefault(name, List.of())
            .forEach(value -> builder.header(name, value));
      }
    }
    return client.send(builder.build(), BodyHandlers.ofByteArray());
  }

  private static void answer(HttpExchange exchange, Request request, HttpResponse<byte[]> response)
      throws IOException {
    if (request.method.equals("HEAD")) {
      copyHeaders(exchange, response);
      response
          .headers()
          .firstValue("Content-Length")
          .ifPresent(length -> exchange.getResponseHeaders().set("Content-Length", length));
      exchange.sendResponseHeaders(response.statusCode(), -1);
    } else {
      begin(exchange, response);
      write(exchange, response.body(), response.body().length);
    }
  }

  private static void begin(HttpExchange exchange, HttpResponse<byte[]> response)
      throws IOException {
    copyHeaders(exchange, response);
    int length = response.body().length;
    exchange.sendResponseHeaders(response.statusCode(), length == 0 ? -1 : length);
  }

  /** Writes the first bytes of a body; closing the exchange ends the connection if any is left. */
  private static void write(HttpExchange exchange, byte[] body, int bytes) throws IOException {
    OutputStream out = exchange.getResponseBody();
    out.write(body, 0, bytes);
    out.flush();
    if (bytes == body.length) {
      out.close();
    }
  }

  private static void copyHeaders(HttpExchange exchange, HttpResponse<byte[]> response) {
    for (String name : RESPONSE_HEADERS) {
      response
          .headers()
          .allValues(name)
          .forEach(value -> exchange.getResponseHeaders().add(name, value));
    }
  }

  private static Request request(HttpExchange exchange) {
    String path = exchange.getRequestURI().getPath();
    Matcher blob = BLOB.matcher(path);
    Optional<Range> range =
        Optional.ofNullable(exchange.getRequestHeaders().getFirst("Range"))
            .map(RANGE::matcher)
            .filter(Matcher::matches)
            .map(found ->
                new Range(
                    Long.parseLong(found.group("first")), Long.parseLong(found.group("last"))));
    return new Request(
        exchange.getRequestMethod(),
        path,
        blob.matches() ? Optional.of(Digest.parse(blob.group("digest"))) : Optional.empty(),
        range);
  }
}
