package sluice.core;

import java.io.IOException;
import java.util.Optional;
import sluice.core.IndexOrigin.Binding;

/** Whose word is taken for an index. Safe for use by many threads. */
public interface IndexTrust {

  /**
   * Trusts what the image's digest pins, and nothing else. For whoever chose the image by hand and
   * shares its trees with no other image.
   */
  IndexTrust PINNED =
      (layer, binding) ->
          switch (binding) {
            case LAYER, IMAGE -> Optional.empty();
            case REFERRER, NOTHING ->
                Optional.of("nothing that the image's digest pins vouches for it");
          };

  /**
   * Why no index of this binding is used for the layer; empty if one may be. Asks nobody, so that a
   * format can spare itself the search.
   */
  Optional<String> refusal(LayerFormat.Layer layer, Binding binding);

  /**
   * Why this index is not used for the layer; empty if it is. May ask a registry for signatures.
   *
   * @throws FetchException if that fails
   */
  default Optional<String> refusal(LayerFormat.Layer layer, IndexOrigin origin)
      throws IOException, InterruptedException {
    return refusal(layer, origin.binding());
  }
}
