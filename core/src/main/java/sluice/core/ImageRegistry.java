package sluice.core;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * What is asked of a registry, or of an image layout, besides ranges of blobs. Everything that has
 * a digest is verified before it is returned. Safe for use by many threads; calls block and answer
 * an interrupt of their thread.
 */
public interface ImageRegistry {

  /**
   * A manifest, an index or a configuration as it was stored.
   *
   * @param descriptor media type, digest and size of {@code bytes}
   */
  record Content(Descriptor descriptor, Bytes bytes) {}

  /** What the reference leads to now. */
  Content resolve(ImageReference reference) throws IOException, InterruptedException;

  /**
   * Reads small content: a manifest, an index, a configuration.
   *
   * @throws CorruptException if it is larger than the limit for such content, or not what the
   *     digest says
   */
  Content read(Repository repository, Descriptor descriptor)
      throws IOException, InterruptedException;

  /** The referrers of {@code subject} whose artifact type is {@code artifactType}. */
  List<Descriptor> referrers(Repository repository, Digest subject, Optional<String> artifactType)
      throws IOException, InterruptedException;

  /**
   * Reads an index or a manifest.
   *
   * @throws CorruptException if it is neither
   */
  ImageDocument document(Content content) throws IOException;

  /**
   * Reads an image configuration.
   *
   * @throws CorruptException if it is none
   */
  ImageConfig config(Content content) throws IOException;
}
