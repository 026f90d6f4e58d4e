package sluice.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import org.junit.jupiter.api.Test;

class DockerRegistryIT {

  private static final Path FIXTURES =
      Path.of(System.getProperty("sluice.project"), "testing", "fixtures");

  @Test
  void push_wholeLayout_tagsAreServedAndRequestsSeen() throws Exception {
    try (DockerRegistry registry = DockerRegistry.open();
        HttpClient client = HttpClient.newHttpClient()) {
      assertThat(LayoutPush.push(FIXTURES.resolve("pause"), registry.host(), "a/pause"))
          .containsExactly("src", "esgz", "nydus-zstd");

      String manifest = get(client, registry, "/v2/a/pause/manifests/src");
      assertThat(manifest).contains("\"layers\"");
      assertThat(get(client, registry, "/v2/a/pause/tags/list")).contains("nydus-zstd");
      assertThat(registry.requests())
          .anyMatch(line -> line.startsWith("GET /v2/a/pause/manifests/src 200 "));
    }
  }

  @Test
  void stopAndStart_keepsPortAndStorage() throws Exception {
    Path storage;
    try (DockerRegistry registry = DockerRegistry.open();
        HttpClient client = HttpClient.newHttpClient()) {
      storage = registry.storage();
      LayoutPush.push(FIXTURES.resolve("one"), registry.host(), "one");
      registry.stop();
      assertThat(registry.pid()).isEmpty();
      registry.start();
      assertThat(get(client, registry, "/v2/one/tags/list")).contains("src");
    }
    assertThat(Files.exists(storage)).isFalse();
  }

  @Test
  void withBasicAuth_asksForCredentials() throws Exception {
    try (DockerRegistry registry = DockerRegistry.withBasicAuth("alice", "s3cret");
        HttpClient client = HttpClient.newHttpClient()) {
      assertThat(status(client, registry, "alice:wrong")).isEqualTo(401);
      assertThat(status(client, registry, "alice:s3cret")).isEqualTo(200);
    }
  }

  private static String get(HttpClient client, DockerRegistry registry, String path)
      throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://" + registry.host() + path))
            .header("Accept", "application/vnd.oci.image.manifest.v1+json")
            .timeout(Duration.ofSeconds(10))
            .build();
    return client.send(request, BodyHandlers.ofString()).body();
  }

  private static int status(HttpClient client, DockerRegistry registry, String credentials)
      throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://" + registry.host() + "/v2/"))
            .header(
                "Authorization",
                "Basic "
                    + Base64.getEncoder()
                        .encodeToString(credentials.getBytes(StandardCharsets.UTF_8)))
            .timeout(Duration.ofSeconds(10))
            .build();
    return client.send(request, BodyHandlers.discarding()).statusCode();
  }
}
