package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.protobuf.Timestamp;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import sluice.api.control.CacheUsage;
import sluice.api.control.Fallback;
import sluice.api.control.LazyImage;
import sluice.api.control.LazyLayer;
import sluice.api.control.LyingIndex;
import sluice.api.control.RootfsMount;
import sluice.api.control.StatusResponse;
import sluice.api.control.UndecidedLayer;

final class StatusViewTest {

  private static final LazyLayer STREAMED =
      LazyLayer.newBuilder()
          .setFormat("tar")
          .setStreamed(true)
          .setReason("soci: not trusted; rafs: torn")
          .build();

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
          .addImages(
              LazyImage.newBuilder()
                  .setReference("here/a")
                  .addLayers(LazyLayer.newBuilder().setFormat("soci").setBlobBytes(1 << 20))
                  .addLayers(STREAMED)
                  .addLayers(LazyLayer.newBuilder().setFormat("soci"))
                  .addLayers(STREAMED)
                  .addLayers(LazyLayer.newBuilder().setFormat("tar").setStreamed(true)))
          .addFallbacks(Fallback.newBuilder().setKind("timeout").setReason("too late"))
          .putFallbackCounts("timeout", 2)
          .putErrorCounts("verify", 1)
          .addLyingIndexes(
              LyingIndex.newBuilder()
                  .setLayer("sha256:aa")
                  .setFormat("estargz")
                  .setReason("\"/a\" has mode 1, in the layer 2")
                  .addAllImages(List.of("here/a", "here/b")))
          .addUndecidedLayers(
              UndecidedLayer.newBuilder()
                  .setLayer("sha256:bb")
                  .setFormat("soci")
                  .setReason("status 404")
                  .setTries(2)
                  .setNextTry(Timestamp.newBuilder().setSeconds(5_000)))
          .addUndecidedLayers(
              UndecidedLayer.newBuilder().setLayer("sha256:cc").setFormat("soci").setTries(24))
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
    assertThat(json.at("/lyingIndexes/0/layer").textValue()).isEqualTo("sha256:aa");
    assertThat(json.at("/lyingIndexes/0/images/1").textValue()).isEqualTo("here/b");
    assertThat(json.at("/undecidedLayers/0/nextTry").textValue()).isEqualTo("1970-01-01T01:23:20Z");
    assertThat(json.at("/undecidedLayers/1/nextTry").textValue()).isEmpty();
    assertThat(json.at("/undecidedLayers/1/tries").intValue()).isEqualTo(24);
    assertThat(json.at("/images/0/lazyLayers").toString()).isEqualTo("{\"soci\":2}");
    assertThat(json.at("/images/0/streamedLayers").intValue()).isEqualTo(3);
    assertThat(json.at("/images/0/layers/1/streamed").booleanValue()).isTrue();
    assertThat(json.at("/images/0/layers/1/reason").textValue()).contains("soci: not trusted");
  }

  @Test
  void text_saysWhatWentWrong() {
    assertThat(VIEW.text())
        .contains("up 1 h 1 min 1 s")
        .contains("4.0 KiB in 3 devices")
        .contains("/srv/s/m/a: mounted by fuse")
        .contains("/srv/s/m/b: not mounted: no tree")
        .contains("1 verify")
        .contains("image      here/a: 5 layers of 1.0 MiB, 0 B cached: 2 lazy by soci, 3 streamed")
        .contains("streamed   2 of here/a: soci: not trusted; rafs: torn")
        .contains("timeout: too late")
        .contains(
            "lying      estargz index of layer sha256:aa of here/a, here/b: \"/a\" has mode 1, in")
        .contains("soci index of layer sha256:bb: status 404 (2 tries, the next 1970-01-01T01:23")
        .contains("(24 tries, the next when the daemon starts again)");
  }
}
