package sluice.core;

import java.net.URI;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a manifest or an index says of one piece of content (OCI image specification, "Content
 * Descriptors").
 *
 * @param mediaType the media type, never empty
 * @param digest digest of the content's bytes
 * @param sizeBytes length of the content, 0 or more
 * @param annotations annotations of the descriptor, empty if it has none
 * @param urls other places of the content (foreign layers), empty if it has none
 * @param platform the platform it is for; only descriptors in an index have one
 * @param artifactType type of the artifact it names, as indexes and referrers lists give it
 * @param data the content itself, where the descriptor embeds it; verified by whoever parsed the
 *     descriptor
 */
public record Descriptor(
    String mediaType,
    Digest digest,
    long sizeBytes,
    Map<String, String> annotations,
    List<URI> urls,
    @Nullable Platform platform,
    @Nullable String artifactType,
    @Nullable Bytes data) {

  public Descriptor {
    if (sizeBytes < 0) {
      throw new IllegalArgumentException(
          "descriptor: size " + sizeBytes + " of " + digest + " is negative");
    }
    annotations = Map.copyOf(annotations);
    urls = List.copyOf(urls);
  }

  /** A descriptor that does not embed its content. */
  public Descriptor(
      String mediaType,
      Digest digest,
      long sizeBytes,
      Map<String, String> annotations,
      List<URI> urls,
      @Nullable Platform platform,
      @Nullable String artifactType) {
    this(mediaType, digest, sizeBytes, annotations, urls, platform, artifactType, null);
  }

  /** A descriptor with nothing but what each must have. */
  public Descriptor(String mediaType, Digest digest, long sizeBytes) {
    this(mediaType, digest, sizeBytes, Map.of(), List.of(), null, null);
  }
}
