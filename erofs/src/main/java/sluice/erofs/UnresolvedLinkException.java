package sluice.erofs;

import java.io.IOException;
import sluice.core.Bytes;

/**
 * A hard link's target lies in none of the given layers: it is in a layer below that is not merged,
 * so the link's layer must be unpacked the ordinary way; or nowhere at all.
 */
public final class UnresolvedLinkException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int layer;

  UnresolvedLinkException(int layer, String resource, Bytes target) {
    super(
        "hard link to \"%s\": no such file in the layers merged below, nor in this one (resource=%s)"
            .formatted(target, resource));
    this.layer = layer;
  }

  /** Which of the merged layers holds the link, 0 for the lowest. */
  public int layer() {
    return layer;
  }
}
