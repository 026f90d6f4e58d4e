package sluice.core;

import java.io.IOException;
import java.nio.file.Path;

/** Writes images into a registry or an image layout. Safe for use by many threads. */
public interface ImagePublisher {

  /** Uploads a blob from a file, unless the repository has it already. */
  void putBlob(Repository repository, Descriptor descriptor, Path content)
      throws IOException, InterruptedException;

  /** Uploads a manifest or an index under the tag or digest of {@code target}. */
  void putManifest(ImageReference target, ImageRegistry.Content manifest)
      throws IOException, InterruptedException;

  /**
   * Lets {@code to} use a blob that {@code from} has, if the registry can do that by itself.
   *
   * @return false if the blob has to be uploaded
   */
  boolean mountBlob(Repository to, Repository from, Descriptor descriptor)
      throws IOException, InterruptedException;
}
