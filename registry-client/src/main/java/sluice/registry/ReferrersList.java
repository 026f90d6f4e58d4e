package sluice.registry;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.HttpUrl;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException.Reason;
import sluice.core.ImageDocument;
import sluice.core.Lane;

/**
 * Lists referrers: {@code GET /v2/NAME/referrers/DIGEST}, page by page, and where the registry has
 * no such endpoint the index under the tag {@code ALGORITHM-HEX} (OCI distribution specification,
 * "Listing Referrers" and "Referrers Tag Schema"). Each call is one attempt.
 */
final class ReferrersList {

  /** RFC 8288, as the distribution specification uses it. */
  private static final Pattern NEXT_LINK = Pattern.compile("<([^>]*)>\\s*;\\s*rel=\"?next\"?");

  /** What registries without the endpoint answer, old proxies and Artifactory among them. */
  private static final Set<Integer> NO_ENDPOINT = Set.of(400, 404, 405, 406);

  private final Exchanger exchanger;
  private final SmallContent content;
  private final FetchListener listener;

  ReferrersList(Exchanger exchanger, SmallContent content, FetchListener listener) {
    this.exchanger = exchanger;
    this.content = content;
    this.listener = listener;
  }

  List<Descriptor> list(
      Source source, Digest subject, Optional<String> artifactType, Deadline deadline)
      throws IOException, InterruptedException {
    HttpUrl.Builder first = source.url("referrers/" + subject).newBuilder();
    artifactType.ifPresent(type -> first.addQueryParameter("artifactType", type));
    List<Descriptor> found = new ArrayList<>();
    Set<HttpUrl> asked = new HashSet<>();
    Optional<HttpUrl> page = Optional.of(first.build());
    while (page.isPresent()) {
      if (!asked.add(page.get()) || asked.size() > Limits.REFERRER_PAGES) {
        throw new FailedAttempt(
            "referrers of %s in %s: pages that repeat, or more than %d of them"
                .formatted(subject, source, Limits.REFERRER_PAGES),
            Reason.PROTOCOL,
            200);
      }
      Optional<Page> answered = page(source, page.get(), deadline);
      if (answered.isEmpty()) {
        return Referrer.filter(fallback(source, subject, deadline), artifactType);
      }
      found.addAll(answered.get().referrers());
      page = answered.get().next();
    }
    // A registry may ignore the filter; it says so by the absence of a header.
    return Referrer.filter(found, artifactType);
  }

  private record Page(List<Descriptor> referrers, Optional<HttpUrl> next) {}

  /** One page; empty if the registry has no such endpoint. */
  private Optional<Page> page(Source source, HttpUrl url, Deadline deadline)
      throws IOException, InterruptedException {
    Ask ask =
        Ask.get(source, url)
            .with("Accept", MediaTypes.OCI_INDEX)
            .accepting(200, 400, 404, 405, 406);
    try (Answer answer = exchanger.open(source, ask, Lane.DEMAND, deadline)) {
      String type = answer.header("Content-Type").orElse("");
      if (NO_ENDPOINT.contains(answer.status()) || !type.startsWith(MediaTypes.OCI_INDEX)) {
        return Optional.empty();
      }
      byte[] body =
          exchanger.readBody(
              ask,
              answer,
              deadline,
              from -> from.inputStream().readNBytes(Limits.MANIFEST_BYTES + 1));
      listener.received(Lane.DEMAND, body.length);
      if (body.length > Limits.MANIFEST_BYTES) {
        answer.abort();
        throw new CorruptException(
            "more than " + Limits.MANIFEST_BYTES + " bytes", ask.toString(), -1);
      }
      JsonObject index = JsonObject.parse(Bytes.of(body), ask.toString());
      return Optional.of(
          new Page(Descriptors.parseAll(index.objects("manifests")), next(source, answer)));
    }
  }

  private static Optional<HttpUrl> next(Source source, Answer answer) {
    Matcher link = NEXT_LINK.matcher(answer.header("Link").orElse(""));
    return link.find()
        ? Optional.ofNullable(answer.url().resolve(link.group(1)))
            .filter(source.endpoint()::isOriginOf)
        : Optional.empty();
  }

  /** The list under the fallback tag; none if there is no such tag. */
  private List<Descriptor> fallback(Source source, Digest subject, Deadline deadline)
      throws IOException, InterruptedException {
    try {
      ImageDocument document =
          Documents.document(
              content.manifest(source, Referrer.fallbackTag(subject), null, deadline));
      return switch (document) {
        case ImageDocument.Index index -> index.manifests();
        case ImageDocument.Manifest other -> List.of();
      };
    } catch (FailedAttempt e) {
      if (e.failure().reason() == Reason.NOT_FOUND) {
        return List.of();
      }
      throw e;
    }
  }
}
