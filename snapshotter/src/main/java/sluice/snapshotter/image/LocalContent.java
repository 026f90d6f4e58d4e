package sluice.snapshotter.image;

import java.io.IOException;
import java.util.Optional;
import sluice.core.Bytes;
import sluice.core.Digest;

/** Small content that is on this node already: containerd's content store. */
public interface LocalContent {

  /** Knows nothing. */
  LocalContent NONE = (namespace, digest) -> Optional.empty();

  /**
   * The content of that digest, verified; or nothing, soon, if it is not there.
   *
   * @param namespace containerd's, which sees only its own content; empty if it is not known
   * @throws IOException if the store cannot be asked; the registry is asked instead
   */
  Optional<Bytes> find(String namespace, Digest digest) throws IOException, InterruptedException;
}
