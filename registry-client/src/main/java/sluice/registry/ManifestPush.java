package sluice.registry;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import okhttp3.MediaType;
import okhttp3.RequestBody;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException.Reason;
import sluice.core.ImageDocument;
import sluice.core.ImageRegistry.Content;
import sluice.core.Lane;

/**
 * Uploads manifests and indexes: {@code PUT /v2/NAME/manifests/REFERENCE}. One with a subject is
 * also added to the list of the subject's referrers where the registry does not do that itself (OCI
 * distribution specification, "Pushing Manifests with Subject"). Each call is one attempt.
 */
final class ManifestPush {

  private final Exchanger exchanger;
  private final SmallContent content;

  ManifestPush(Exchanger exchanger, SmallContent content) {
    this.exchanger = exchanger;
    this.content = content;
  }

  void put(Source source, String selector, Content manifest, Deadline deadline)
      throws IOException, InterruptedException {
    boolean listed = upload(source, selector, manifest, deadline);
    if (!listed && Documents.document(manifest) instanceof ImageDocument.Manifest referrer) {
      Descriptor subject = referrer.subject();
      if (subject != null) {
        addToFallback(
            source, subject.digest(), Referrer.describe(manifest.descriptor(), referrer), deadline);
      }
    }
  }

  /** Uploads alone; says whether the registry keeps the list of referrers itself. */
  private boolean upload(Source source, String selector, Content manifest, Deadline deadline)
      throws IOException, InterruptedException {
    Descriptor descriptor = manifest.descriptor();
    RequestBody body =
        RequestBody.create(manifest.bytes().toArray(), MediaType.get(descriptor.mediaType()));
    Ask ask =
        Ask.push(source, "PUT", source.url("manifests/" + selector), body).accepting(201, 200);
    try (Answer answer = exchanger.open(source, ask, Lane.DEMAND, deadline)) {
      Optional<String> stored = answer.header("Docker-Content-Digest");
      boolean sameAlgorithm =
          stored.isPresent()
              && stored.get().startsWith(descriptor.digest().algorithm().label() + ':');
      if (sameAlgorithm && !stored.get().equals(descriptor.digest().toString())) {
        throw new FailedAttempt(
            ask + ": stored as " + stored.get() + ", expected " + descriptor.digest(),
            Reason.PROTOCOL,
            answer.status());
      }
      return answer.header("OCI-Subject").isPresent();
    }
  }

  /** Reads, extends and writes the index under the fallback tag; the last of two writers wins. */
  private void addToFallback(Source source, Digest subject, Descriptor referrer, Deadline deadline)
      throws IOException, InterruptedException {
    String tag = Referrer.fallbackTag(subject);
    List<Descriptor> referrers = new ArrayList<>(listed(source, tag, deadline));
    if (referrers.stream().anyMatch(known -> known.digest().equals(referrer.digest()))) {
      return;
    }
    referrers.add(referrer);
    Bytes bytes = Bytes.utf8(index(referrers).toString());
    Digest digest = Digest.sha256(bytes.toArray());
    Descriptor descriptor = new Descriptor(MediaTypes.OCI_INDEX, digest, bytes.length());
    upload(source, tag, new Content(descriptor, bytes), deadline);
  }

  private List<Descriptor> listed(Source source, String tag, Deadline deadline)
      throws IOException, InterruptedException {
    try {
      ImageDocument document = Documents.document(content.manifest(source, tag, null, deadline));
      if (document instanceof ImageDocument.Index index) {
        return index.manifests();
      }
      throw new CorruptException(
          "a list of referrers expected, found an image", source + ":" + tag, -1);
    } catch (FailedAttempt e) {
      if (e.failure().reason() == Reason.NOT_FOUND) {
        return List.of();
      }
      throw e;
    }
  }

  private static ObjectNode index(List<Descriptor> referrers) {
    ObjectNode index = JsonObject.empty();
    index.put("schemaVersion", 2);
    index.put("mediaType", MediaTypes.OCI_INDEX);
    ArrayNode manifests = index.putArray("manifests");
    for (Descriptor referrer : referrers) {
      ObjectNode entry = manifests.addObject();
      entry.put("mediaType", referrer.mediaType());
      entry.put("digest", referrer.digest().toString());
      entry.put("size", referrer.sizeBytes());
      String artifactType = referrer.artifactType();
      if (artifactType != null) {
        entry.put("artifactType", artifactType);
      }
      if (!referrer.annotations().isEmpty()) {
        ObjectNode annotations = entry.putObject("annotations");
        referrer.annotations().forEach(annotations::put);
      }
    }
    return index;
  }
}
