package sluice.snapshotter.metrics;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.Closeable;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/** Serves {@code /metrics} and {@code /healthz} over HTTP, for Prometheus and for supervisors. */
public final class MetricsServer implements Closeable {

  private static final int BACKLOG = 16;

  /** The exposition format's media type (Prometheus, "Text-based format"). */
  private static final String EXPOSITION = "text/plain; version=0.0.4; charset=utf-8";

  private final HttpServer server;
  private final ExecutorService workers;

  private MetricsServer(HttpServer server, ExecutorService workers) {
    this.server = server;
    this.workers = workers;
  }

  /** Whether the daemon works, in a word for people. */
  public record Health(boolean ok, String text) {}

  /**
   * Begins to serve.
   *
   * @param address a host and a port; port 0 takes a free one
   * @throws IOException if the port is taken, or is none of this host
   */
  public static MetricsServer start(
      InetSocketAddress address, Supplier<String> metrics, Supplier<Health> health)
      throws IOException {
    if (address.isUnresolved()) {
      throw new IOException("metrics.address " + address.getHostString() + ": unknown host");
    }
    HttpServer server = bind(address);
    ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
    server.setExecutor(workers);
    server.createContext("/metrics", e -> answer(e, "/metrics", 200, EXPOSITION, metrics.get()));
    server.createContext(
        "/healthz",
        e -> {
          Health now = health.get();
          answer(e, "/healthz", now.ok ? 200 : 503, "text/plain; charset=utf-8", now.text + "\n");
        });
    server.start();
    return new MetricsServer(server, workers);
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return server.getAddress();
  }

  @Override
  public void close() {
    server.stop(0);
    workers.shutdownNow();
  }

  private static HttpServer bind(InetSocketAddress address) throws IOException {
    try {
      return HttpServer.create(address, BACKLOG);
    } catch (BindException e) {
      throw new IOException(
          "metrics.address %s:%d: %s; choose another in the configuration, or \"\" for none"
              .formatted(address.getHostString(), address.getPort(), e.getMessage()),
          e);
    }
  }

  private static void answer(
      HttpExchange exchange, String path, int status, String type, String body) throws IOException {
    try (exchange) {
      if (!exchange.getRequestURI().getPath().equals(path)) {
        exchange.sendResponseHeaders(404, -1);
        return;
      }
      if (!exchange.getRequestMethod().equals("GET")) {
        exchange.sendResponseHeaders(405, -1);
        return;
      }
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", type);
      exchange.sendResponseHeaders(status, bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }
}
