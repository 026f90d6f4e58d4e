package sluice.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Pushes a whole OCI image layout into a registry that needs no credentials: every tag of its
 * {@code index.json}, and all that the tags lead to. Uses the JDK's HTTP client, so that modules
 * that know no registry client can test against a registry.
 */
public final class LayoutPush implements Closeable {

  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final String REF_NAME = "org.opencontainers.image.ref.name";

  private final HttpClient client = HttpClient.newHttpClient();
  private final ObjectMapper json = new ObjectMapper();
  private final Set<String> done = new HashSet<>();
  private final Path layout;
  private final URI repository;

  private LayoutPush(Path layout, String host, String repository) {
    this.layout = layout;
    this.repository = URI.create("http://" + host + "/v2/" + repository + "/");
  }

  /**
   * Pushes {@code layout} into {@code host/repository}.
   *
   * @return the tags, in the order of the index
   */
  public static List<String> push(Path layout, String host, String repository)
      throws IOException, InterruptedException {
    try (LayoutPush push = new LayoutPush(layout, host, repository)) {
      return push.tags();
    }
  }

  @Override
  public void close() {
    client.close();
  }

  private List<String> tags() throws IOException, InterruptedException {
    List<String> tags = new ArrayList<>();
    for (JsonNode manifest :
        json.readTree(layout.resolve("index.json").toFile()).get("manifests")) {
      String tag = manifest.path("annotations").path(REF_NAME).asText();
      document(manifest, tag);
      tags.add(tag);
    }
    return tags;
  }

  private void document(JsonNode descriptor, String selector)
      throws IOException, InterruptedException {
    Path file = file(descriptor.get("digest").asText());
    JsonNode content = json.readTree(file.toFile());
    for (JsonNode child : content.path("manifests")) {
      document(child, child.get("digest").asText());
    }
    if (content.has("config")) {
      blob(content.get("config").get("digest").asText());
    }
    for (JsonNode layer : content.path("layers")) {
      blob(layer.get("digest").asText());
    }
    HttpRequest put =
        request(repository.resolve("manifests/" + selector))
            .header("Content-Type", descriptor.get("mediaType").asText())
            .PUT(BodyPublishers.ofFile(file))
            .build();
    expect(201, put);
  }

  /** Uploads one blob; one that the layout does not hold must be in the registry already. */
  private void blob(String digest) throws IOException, InterruptedException {
    if (!done.add(digest) || !Files.exists(file(digest))) {
      return;
    }
    HttpResponse<String> begun =
        expect(
            202,
            request(repository.resolve("blobs/uploads/")).POST(BodyPublishers.noBody()).build());
    String location = begun.headers().firstValue("Location").orElseThrow();
    URI upload = repository.resolve(location);
    String separator = upload.getQuery() == null ? "?" : "&";
    HttpRequest put =
        request(URI.create(upload + separator + "digest=" + digest))
            .header("Content-Type", "application/octet-stream")
            .PUT(BodyPublishers.ofFile(file(digest)))
            .build();
    expect(201, put);
  }

  private static HttpRequest.Builder request(URI uri) {
    return HttpRequest.newBuilder(uri).timeout(LIMIT);
  }

  private HttpResponse<String> expect(int status, HttpRequest request)
      throws IOException, InterruptedException {
    HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
    if (response.statusCode() != status) {
      throw new IOException(
          "%s %s: status %d, expected %d: %s"
              .formatted(
                  request.method(), request.uri(), response.statusCode(), status, response.body()));
    }
    return response;
  }

  private Path file(String digest) {
    return layout.resolve("blobs").resolve(digest.replace(':', '/'));
  }
}
