package sluice.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import mockwebserver3.MockResponse;
import mockwebserver3.RecordedRequest;
import okio.Buffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry.Content;

@Timeout(30)
class ManifestTest {

  private static final Bytes MANIFEST =
      Bytes.utf8(
          "{\"schemaVersion\":2,\"layers\":[],\"config\":{\"mediaType\":\"a/b\",\"size\":0,\"digest\":\"%s\"}}"
              .formatted(Digest.sha256(new byte[0])));
  private static final Digest DIGEST = Digest.sha256(MANIFEST.toArray());

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
  void resolve_tag_asksForEveryTypeAndGivesTheDigest() throws Exception {
    registry.enqueue(manifest().addHeader("Docker-Content-Digest", DIGEST).build());
    Content content = client.resolve(tag());
    assertThat(content.bytes()).isEqualTo(MANIFEST);
    assertThat(content.descriptor())
        .isEqualTo(new Descriptor(MediaTypes.DOCKER_MANIFEST, DIGEST, MANIFEST.length()));
    RecordedRequest request = registry.request();
    assertThat(request.getTarget()).isEqualTo("/v2/some/image/manifests/v1");
    assertThat(request.getHeaders().get("Accept"))
        .contains(MediaTypes.OCI_INDEX, MediaTypes.OCI_MANIFEST)
        .contains(MediaTypes.DOCKER_LIST, MediaTypes.DOCKER_MANIFEST);
  }

  @Test
  void resolve_announcedDigestIsAnother_isCorrupt() {
    registry.enqueue(
        manifest().addHeader("Docker-Content-Digest", Digest.sha256(new byte[0])).build());
    assertCorrupt("content with digest " + DIGEST + ", expected");
  }

  @Test
  void resolve_announcedDigestIsNone_isCorrupt() {
    registry.enqueue(manifest().addHeader("Docker-Content-Digest", "latest").build());
    assertCorrupt("Docker-Content-Digest is no digest");
  }

  @Test
  void resolve_pinnedDigestIsAnother_isCorrupt() {
    registry.enqueue(manifest().build());
    Digest pinned = Digest.sha256(new byte[] {1});
    assertThatThrownBy(
            () -> client.resolve(new ImageReference(registry.repository(), "v1", pinned)))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("content with digest " + DIGEST + ", expected " + pinned);
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
  }

  @Test
  void resolve_hugeByItsLength_isRefusedUnread() {
    registry.enqueue(
        manifest().body(new Buffer().write(new byte[Limits.MANIFEST_BYTES + 1])).build());
    assertCorrupt("more than the " + Limits.MANIFEST_BYTES + " bytes");
  }

  @Test
  void resolve_hugeInChunks_isRefused() {
    registry.enqueue(
        manifest()
            .chunkedBody(new Buffer().write(new byte[Limits.MANIFEST_BYTES + 1]), 65_536)
            .build());
    assertCorrupt("more than the " + Limits.MANIFEST_BYTES + " bytes");
  }

  @Test
  void resolve_badJson_isCorrupt() {
    registry.enqueue(manifest().body("<html>").build());
    assertCorrupt("JSON: ");
  }

  @Test
  void read_sizeIsAnother_isCorrupt() {
    registry.enqueue(manifest().build());
    Descriptor wrong = new Descriptor(MediaTypes.OCI_MANIFEST, DIGEST, MANIFEST.length() + 1);
    assertThatThrownBy(() -> client.read(registry.repository(), wrong))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("its descriptor says");
  }

  @Test
  void read_embeddedData_asksNothing() throws Exception {
    Descriptor embedded =
        new Descriptor("a/b", DIGEST, MANIFEST.length(), Map.of(), List.of(), null, null, MANIFEST);
    assertThat(client.read(registry.repository(), embedded).bytes()).isEqualTo(MANIFEST);
    assertThat(registry.server.getRequestCount()).isZero();
  }

  @Test
  void read_config_isABlob() throws Exception {
    registry.enqueue(manifest().build());
    Descriptor config =
        new Descriptor("application/vnd.oci.image.config.v1+json", DIGEST, MANIFEST.length());
    assertThat(client.read(registry.repository(), config).bytes()).isEqualTo(MANIFEST);
    assertThat(registry.request().getTarget()).isEqualTo("/v2/some/image/blobs/" + DIGEST);
  }

  @Test
  void referrers_pages_areFollowedAndFiltered() throws Exception {
    registry.enqueue(
        referrers("one", "t/1")
            .addHeader("Link", "</v2/some/image/referrers/x?page=2>; rel=\"next\"")
            .build(),
        referrers("two", "t/2").build());
    List<Descriptor> found = client.referrers(registry.repository(), DIGEST, Optional.of("t/2"));
    assertThat(found).extracting(Descriptor::artifactType).containsExactly("t/2");
    assertThat(registry.request().getTarget())
        .isEqualTo("/v2/some/image/referrers/" + DIGEST + "?artifactType=t%2F2");
    assertThat(registry.request().getTarget()).endsWith("page=2");
  }

  @Test
  void referrers_pagesThatRepeat_areRefused() {
    for (int i = 0; i < 3; i++) {
      registry.enqueue(
          referrers("one", "t/1").addHeader("Link", "<?page=2>; rel=\"next\"").build());
    }
    assertThatThrownBy(() -> client.referrers(registry.repository(), DIGEST, Optional.empty()))
        .isInstanceOf(FetchException.class)
        .hasMessageContaining("pages that repeat");
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 404, 405, 406})
  void referrers_noEndpoint_readsTheTag(int status) throws Exception {
    registry.enqueue(TestRegistry.status(status), referrers("one", "t/1").build());
    assertThat(client.referrers(registry.repository(), DIGEST, Optional.empty())).hasSize(1);
    registry.request();
    assertThat(registry.request().getTarget())
        .isEqualTo("/v2/some/image/manifests/sha256-" + DIGEST.hex());
  }

  @Test
  void referrers_noEndpointAndNoTag_areNone() throws Exception {
    registry.enqueue(TestRegistry.status(404), TestRegistry.status(404));
    assertThat(client.referrers(registry.repository(), DIGEST, Optional.empty())).isEmpty();
    assertThat(registry.server.getRequestCount()).isEqualTo(2);
  }

  private ImageReference tag() {
    return new ImageReference(registry.repository(), "v1", null);
  }

  private void assertCorrupt(String message) {
    assertThatThrownBy(() -> client.resolve(tag()))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("/v2/some/image/manifests/v1");
    assertThat(registry.server.getRequestCount()).isEqualTo(1);
  }

  private static MockResponse.Builder manifest() {
    return new MockResponse.Builder()
        .addHeader("Content-Type", MediaTypes.DOCKER_MANIFEST + "; charset=utf-8")
        .body(new Buffer().write(MANIFEST.toArray()));
  }

  private static MockResponse.Builder referrers(String content, String artifactType) {
    return new MockResponse.Builder()
        .addHeader("Content-Type", MediaTypes.OCI_INDEX)
        .body(
            "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"%s\",\"size\":1,\"digest\":\"%s\",\"artifactType\":\"%s\"}]}"
                .formatted(
                    MediaTypes.OCI_MANIFEST,
                    Digest.sha256(content.getBytes(StandardCharsets.UTF_8)),
                    artifactType));
  }
}
