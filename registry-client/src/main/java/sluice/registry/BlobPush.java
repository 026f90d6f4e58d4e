package sluice.registry;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.RequestBody;
import sluice.core.Descriptor;
import sluice.core.FetchException.Reason;
import sluice.core.Lane;

/**
 * Uploads blobs: {@code HEAD} to see whether it is there, {@code POST} to begin, one {@code PUT}
 * with the file (OCI distribution specification, "POST then PUT"); and mounts them from another
 * repository of the same registry. Each call is one attempt.
 */
final class BlobPush {

  private static final MediaType BYTES = MediaType.get("application/octet-stream");

  private final Exchanger exchanger;

  BlobPush(Exchanger exchanger) {
    this.exchanger = exchanger;
  }

  /** Uploads {@code content}, unless the repository has the blob. */
  void put(Source source, Descriptor descriptor, Path content, Deadline deadline)
      throws IOException, InterruptedException {
    long lengthBytes = Files.size(content);
    if (lengthBytes != descriptor.sizeBytes()) {
      throw new IllegalArgumentException(
          "blob %s: %s has %d bytes, the descriptor says %d"
              .formatted(descriptor.digest(), content, lengthBytes, descriptor.sizeBytes()));
    }
    if (has(source, descriptor, deadline)) {
      return;
    }
    Ask begin =
        Ask.push(source, "POST", source.url("blobs/uploads/"), RequestBody.create(new byte[0]))
            .accepting(202);
    HttpUrl location;
    try (Answer begun = exchanger.open(source, begin, Lane.DEMAND, deadline)) {
      location = location(begin, begun);
    }
    HttpUrl target =
        location.newBuilder().addQueryParameter("digest", descriptor.digest().toString()).build();
    Ask put =
        Ask.push(source, "PUT", target, RequestBody.create(content.toFile(), BYTES))
            .accepting(201, 204);
    exchanger.open(source, put, Lane.DEMAND, deadline).close();
  }

  /** Lets the repository use a blob of repository {@code from}; false if the registry declines. */
  boolean mount(Source source, String from, Descriptor descriptor, Deadline deadline)
      throws IOException, InterruptedException {
    HttpUrl url =
        source
            .url("blobs/uploads/")
            .newBuilder()
            .addQueryParameter("mount", descriptor.digest().toString())
            .addQueryParameter("from", from)
            .build();
    Ask mount =
        Ask.push(source, "POST", url, RequestBody.create(new byte[0]))
            .allowing(List.of(Ask.scope(source, "pull,push"), "repository:" + from + ":pull"))
            .accepting(201, 202);
    HttpUrl upload;
    try (Answer answer = exchanger.open(source, mount, Lane.DEMAND, deadline)) {
      if (answer.status() == 201) {
        return true;
      }
      upload = location(mount, answer);
    }
    // 202 began an upload that nobody will end. What it answers does not matter.
    Ask cancel = Ask.push(source, "DELETE", upload, null).accepting(204, 202, 400, 404, 405);
    exchanger.open(source, cancel, Lane.DEMAND, deadline).close();
    return false;
  }

  private boolean has(Source source, Descriptor descriptor, Deadline deadline)
      throws IOException, InterruptedException {
    Ask head =
        Ask.push(source, "HEAD", source.url("blobs/" + descriptor.digest()), null)
            .accepting(200, 404);
    try (Answer answer = exchanger.open(source, head, Lane.DEMAND, deadline)) {
      return answer.status() == 200;
    }
  }

  private static HttpUrl location(Ask ask, Answer answer) throws FailedAttempt {
    HttpUrl location = answer.url().resolve(answer.header("Location").orElse(""));
    if (location == null || answer.header("Location").isEmpty()) {
      throw new FailedAttempt(
          ask + ": status " + answer.status() + " without a Location",
          Reason.PROTOCOL,
          answer.status());
    }
    if (answer.url().isHttps() && !location.isHttps()) {
      throw new FailedAttempt(
          ask + ": the upload goes from HTTPS to plain HTTP, not done",
          Reason.PROTOCOL,
          answer.status());
    }
    return location;
  }
}
