package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.protobuf.Timestamp;
import java.io.IOException;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import sluice.api.control.CacheUsage;
import sluice.api.control.Fallback;
import sluice.api.control.RootfsMount;
import sluice.api.control.StatusResponse;

final class StatusViewTest {

  private static final StatusResponse STATUS =
      StatusResponse.newBuilder()
          .setVersion("1.2")
          .setRoot("/srv/s")
          .setStartedAt(Timestamp.newBuilder().setSeconds(1_000))
          .setCache(
              CacheUsage.newBuilder()
                  .setDevices(3)
                  .setOccupiedBytes(4096)
                  .setFetchedBytes(5_000_000_000L))
          .addMounts(RootfsMount.newBuilder().setDirectory("/srv/s/m/a").setDriver("fuse"))
          .addMounts(RootfsMount.newBuilder().setDirectory("/srv/s/m/b").setProblem("no tree"))
          .addFallbacks(Fallback.newBuilder().setKind("timeout").setReason("too late"))
          .putFallbackCounts("timeout", 2)
          .putErrorCounts("verify", 1)
          .build();

  private static final StatusView VIEW = new StatusView(STATUS, Instant.ofEpochSecond(4_661));

  @Test
  void json_fetchedBytes_isAPlainInteger() throws IOException {
    JsonNode json = new JsonMapper().readTree(VIEW.json().text());
    assertThat(json.get("fetchedBytes").isIntegralNumber()).isTrue();
    assertThat(json.get("fetchedBytes").longValue()).isEqualTo(5_000_000_000L);
    assertThat(VIEW.json().text()).contains("\"fetchedBytes\" : 5000000000,");
  }

  @Test
  void json_hasStateAndReasons() throws IOException {
    JsonNode json = new JsonMapper().readTree(VIEW.json().text());
    assertThat(json.get("uptimeSeconds").longValue()).isEqualTo(3_661);
    assertThat(json.at("/mounts/0/mounted").booleanValue()).isTrue();
    assertThat(json.at("/mounts/1/mounted").booleanValue()).isFalse();
    assertThat(json.at("/mounts/1/problem").textValue()).isEqualTo("no tree");
    assertThat(json.at("/fallbackCounts/timeout").intValue()).isEqualTo(2);
    assertThat(json.at("/errors/verify").intValue()).isEqualTo(1);
  }

  @Test
  void text_saysWhatWentWrong() {
    assertThat(VIEW.text())
        .contains("up 1 h 1 min 1 s")
        .contains("4.0 KiB in 3 devices")
        .contains("/srv/s/m/a: mounted by fuse")
        .contains("/srv/s/m/b: not mounted: no tree")
        .contains("1 verify")
        .contains("timeout: too late");
  }
}
