package sluice.snapshotter.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import sluice.core.Lane;
import sluice.snapshotter.state.FallbackKind;

final class MetricsServerTest {

  private static final InetSocketAddress ANY_PORT =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  private static HttpResponse<String> get(MetricsServer server, String path)
      throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:" + server.address().getPort() + path);
    HttpRequest request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10)).build();
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(request, HttpResponse.BodyHandlers.ofString());
    }
  }

  @Test
  void metrics_afterEvents_showThem() throws IOException, InterruptedException {
    Meters meters = new Meters();
    meters.formats(List.of("rafs", "soci"));
    meters.received(Lane.DEMAND, 4711);
    meters.fetched(Lane.DEMAND, Duration.ofMillis(3));
    meters.served(Meters.Source.DISK, 42, Duration.ofNanos(10_000));
    meters.fellBack(FallbackKind.TIMEOUT);
    meters.prepared(Meters.PrepareOutcome.LAZY, Duration.ofMillis(40));
    meters.ready("soci");
    meters.failed(Meters.Failure.VERIFY);
    meters.snapshots(Meters.SnapshotKind.ACTIVE, () -> 3);
    meters.cacheBytes(() -> 8192);
    meters.mounts(2);

    try (MetricsServer server =
        MetricsServer.start(ANY_PORT, meters::scrape, () -> new MetricsServer.Health(true, "ok"))) {
      HttpResponse<String> answer = get(server, "/metrics");

      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.body().lines())
          .noneMatch(line -> line.matches("# HELP \\S+\\s*"))
          .anyMatch(line -> line.startsWith("jvm_memory_used_bytes{"))
          .anyMatch(line -> line.startsWith("process_files_open_files "));
      assertThat(answer.body().lines())
          .contains(
              "sluice_fetched_bytes_total{lane=\"demand\"} 4711.0",
              "sluice_fetched_bytes_total{lane=\"fill\"} 0.0",
              "sluice_served_bytes_total{source=\"disk\"} 42.0",
              "sluice_fallbacks_total{reason=\"timeout\"} 1.0",
              "sluice_fetch_seconds_bucket{lane=\"demand\",le=\"0.001\"} 0",
              "sluice_fetch_seconds_bucket{lane=\"demand\",le=\"0.005\"} 1",
              "sluice_prepare_blocked_seconds_count{outcome=\"lazy\"} 1",
              "sluice_layers_total{format=\"soci\"} 1.0",
              "sluice_layers_total{format=\"rafs\"} 0.0",
              "sluice_errors_total{kind=\"verify\"} 1.0",
              "sluice_snapshots{kind=\"active\"} 3.0",
              "sluice_cache_bytes 8192.0",
              "sluice_mounts 2.0");
    }
  }

  @Test
  void healthz_unwell_is503() throws IOException, InterruptedException {
    try (MetricsServer server =
        MetricsServer.start(
            ANY_PORT, () -> "", () -> new MetricsServer.Health(false, "recovering"))) {
      HttpResponse<String> answer = get(server, "/healthz");

      assertThat(answer.statusCode()).isEqualTo(503);
      assertThat(answer.body()).isEqualTo("recovering\n");
      assertThat(get(server, "/healthz/x").statusCode()).isEqualTo(404);
    }
  }

  @Test
  void start_portTaken_saysWhichAndWhatToDo() throws IOException {
    try (MetricsServer first =
        MetricsServer.start(ANY_PORT, () -> "", () -> new MetricsServer.Health(true, "ok"))) {
      assertThatThrownBy(() ->
              MetricsServer.start(
                  first.address(), () -> "", () -> new MetricsServer.Health(true, "ok")))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("metrics.address 127.0.0.1:" + first.address().getPort())
          .hasMessageContaining("choose another");
    }
  }
}
