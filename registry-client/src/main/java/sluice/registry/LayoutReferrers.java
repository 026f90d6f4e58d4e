package sluice.registry;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageDocument;
import sluice.core.ImageRegistry.Content;

/**
 * Finds the referrers of a manifest in an image layout, which keeps no list of them: by the {@code
 * subject} of every manifest that its index leads to. For one search by one thread.
 */
final class LayoutReferrers {

  private final LayoutBlobs blobs;
  private final Digest subject;
  private final Set<Digest> seen = new HashSet<>();
  private final List<Descriptor> found = new ArrayList<>();

  LayoutReferrers(LayoutBlobs blobs, Digest subject) {
    this.blobs = blobs;
    this.subject = subject;
  }

  List<Descriptor> search(List<Descriptor> roots) throws IOException {
    visit(roots, 0);
    return List.copyOf(found);
  }

  private void visit(List<Descriptor> descriptors, int depth) throws IOException {
    for (Descriptor descriptor : descriptors) {
      boolean document = MediaTypes.isDocument(descriptor.mediaType());
      if (document && blobs.has(descriptor.digest()) && seen.add(descriptor.digest())) {
        if (seen.size() > Limits.LAYOUT_MANIFESTS || depth > Limits.LAYOUT_DEPTH) {
          throw new FetchException(
              "image layout: more than %d manifests or %d levels of indexes while looking for referrers of %s"
                  .formatted(Limits.LAYOUT_MANIFESTS, Limits.LAYOUT_DEPTH, subject),
              FetchException.Reason.PROTOCOL,
              0,
              null);
        }
        visit(descriptor, depth);
      }
    }
  }

  private void visit(Descriptor descriptor, int depth) throws IOException {
    Content content =
        new Content(descriptor, blobs.readAll(descriptor.digest(), Limits.MANIFEST_BYTES));
    ImageDocument document;
    try {
      document = Documents.document(content);
    } catch (CorruptException e) {
      // Another image's broken manifest is not this image's trouble; it refers to nothing.
      return;
    }
    switch (document) {
      case ImageDocument.Index index -> visit(index.manifests(), depth + 1);
      case ImageDocument.Manifest manifest -> {
        Descriptor refersTo = manifest.subject();
        if (refersTo != null && refersTo.digest().equals(subject)) {
          found.add(Referrer.describe(descriptor, manifest));
        }
      }
    }
  }
}
