package sluice.formats.testing;

import java.io.IOException;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.LayerFormat;
import sluice.core.Repository;
import sluice.testing.Fixtures;

/** Images as layers see them. */
public final class Images {

  private Images() {}

  /** The image of a fixture's tag. */
  public static LayerFormat.Image of(Fixtures fixtures, String tag) throws IOException {
    return new LayerFormat.Image(
        new ImageReference(fixtures.repository(), tag, null),
        Digest.sha256(fixtures.manifest(tag).toArray()),
        fixtures.document(tag));
  }

  /** An image of which only the manifest counts. */
  public static LayerFormat.Image of(Repository repository, ImageDocument.Manifest manifest) {
    Digest digest = manifest.config().digest();
    return new LayerFormat.Image(new ImageReference(repository, null, digest), digest, manifest);
  }
}
