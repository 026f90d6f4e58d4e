package sluice.core;

import java.util.List;

/**
 * What Sluice reads of an image's configuration (OCI image specification, "Image Configuration").
 *
 * @param platform what the image was made for
 * @param diffIds digests of the uncompressed layers, lowest first
 */
public record ImageConfig(Platform platform, List<Digest> diffIds) {
  public ImageConfig {
    diffIds = List.copyOf(diffIds);
  }
}
