package sluice.registry;

import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.ContentHasher;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageRegistry.Content;
import sluice.core.Lane;

/**
 * Reads small content whole and verifies it: {@code GET /v2/NAME/manifests/REFERENCE} and {@code
 * GET /v2/NAME/blobs/DIGEST}. Each call is one attempt.
 */
final class SmallContent {

  private static final String ACCEPT = String.join(", ", MediaTypes.DOCUMENTS);

  private final Exchanger exchanger;
  private final FetchListener listener;

  SmallContent(Exchanger exchanger, FetchListener listener) {
    this.exchanger = exchanger;
    this.listener = listener;
  }

  /**
   * The manifest or index that {@code selector} names.
   *
   * @param selector a tag or a digest
   * @param pinned the digest that it must have, or null if a tag decides
   */
  Content manifest(Source source, String selector, @Nullable Digest pinned, Deadline deadline)
      throws IOException, InterruptedException {
    Ask ask = Ask.get(source, source.url("manifests/" + selector)).with("Accept", ACCEPT);
    try (Answer answer = exchanger.open(source, ask, Lane.DEMAND, deadline)) {
      Bytes bytes = body(ask, answer, Limits.MANIFEST_BYTES, deadline);
      Digest.Algorithm algorithm = pinned == null ? Digest.Algorithm.SHA256 : pinned.algorithm();
      Digest digest = digestOf(algorithm, bytes);
      if (pinned != null && !pinned.equals(digest)) {
        throw wrongDigest(ask, pinned, digest);
      }
      checkAnnounced(ask, answer, bytes);
      String served = answer.header("Content-Type").orElse("");
      String mediaType = Documents.mediaType(bytes, withoutParameters(served), ask.toString());
      return new Content(new Descriptor(mediaType, digest, bytes.length()), bytes);
    }
  }

  /** A configuration, or another small blob. */
  Content blob(Source source, Descriptor descriptor, Deadline deadline)
      throws IOException, InterruptedException {
    Ask ask = Ask.get(source, source.blob(descriptor.digest()));
    return exchanger.readBlob(
        source,
        ask,
        Lane.DEMAND,
        deadline,
        answer -> {
          try (answer) {
            return verified(ask, descriptor, body(ask, answer, Limits.CONFIG_BYTES, deadline));
          }
        });
  }

  /** A manifest or an index whose media type and size are known already. */
  Content manifest(Source source, Descriptor descriptor, Deadline deadline)
      throws IOException, InterruptedException {
    Ask ask =
        Ask.get(source, source.url("manifests/" + descriptor.digest())).with("Accept", ACCEPT);
    try (Answer answer = exchanger.open(source, ask, Lane.DEMAND, deadline)) {
      return verified(ask, descriptor, body(ask, answer, Limits.MANIFEST_BYTES, deadline));
    }
  }

  private Bytes body(Ask ask, Answer answer, int limitBytes, Deadline deadline)
      throws IOException, InterruptedException {
    Optional<Long> announced = answer.lengthBytes();
    if (announced.isPresent() && announced.get() > limitBytes) {
      answer.abort();
      throw tooLarge(ask, limitBytes);
    }
    byte[] bytes =
        exchanger.readBody(
            ask, answer, deadline, source -> source.inputStream().readNBytes(limitBytes + 1));
    listener.received(Lane.DEMAND, bytes.length);
    if (bytes.length > limitBytes) {
      answer.abort();
      throw tooLarge(ask, limitBytes);
    }
    return Bytes.of(bytes);
  }

  private static Content verified(Ask ask, Descriptor descriptor, Bytes bytes)
      throws CorruptException {
    if (bytes.length() != descriptor.sizeBytes()) {
      throw new CorruptException(
          "%d bytes, its descriptor says %d".formatted(bytes.length(), descriptor.sizeBytes()),
          ask.toString(),
          -1);
    }
    Digest digest = descriptor.digest();
    if (!ContentHasher.matches(digest, bytes.asBuffer())) {
      throw wrongDigest(ask, digest, digestOf(digest.algorithm(), bytes));
    }
    return new Content(descriptor, bytes);
  }

  /**
   * The registry's own word for what it served; some caches get it wrong, and then the body too.
   */
  private static void checkAnnounced(Ask ask, Answer answer, Bytes bytes) throws CorruptException {
    Optional<String> header = answer.header("Docker-Content-Digest");
    if (header.isEmpty()) {
      return;
    }
    Digest announced;
    try {
      announced = Digest.parse(header.get());
    } catch (IllegalArgumentException e) {
      throw new CorruptException(
          "Docker-Content-Digest is no digest: " + e.getMessage(), ask.toString(), -1);
    }
    if (!ContentHasher.matches(announced, bytes.asBuffer())) {
      throw wrongDigest(ask, announced, digestOf(announced.algorithm(), bytes));
    }
  }

  private static Digest digestOf(Digest.Algorithm algorithm, Bytes bytes) {
    return Digest.of(algorithm, ContentHasher.hash(algorithm, bytes.asBuffer()));
  }

  private static CorruptException wrongDigest(Ask ask, Digest expected, Digest found) {
    return new CorruptException(
        "content with digest " + found + ", expected " + expected, ask.toString(), -1);
  }

  private static CorruptException tooLarge(Ask ask, int limitBytes) {
    return new CorruptException(
        "more than the " + limitBytes + " bytes that are read of such content", ask.toString(), -1);
  }

  private static String withoutParameters(String contentType) {
    int semicolon = contentType.indexOf(';');
    String type = semicolon < 0 ? contentType : contentType.substring(0, semicolon);
    return type.strip().toLowerCase(Locale.ROOT);
  }
}
