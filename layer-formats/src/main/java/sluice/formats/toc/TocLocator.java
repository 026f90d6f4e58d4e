package sluice.formats.toc;

import java.io.IOException;

/** Finds the TOC of a layer. */
@FunctionalInterface
public interface TocLocator {

  /**
   * Says where the TOC lies; fetches what it needs for that by {@code layer}.
   *
   * @param layer reads the layer's blob
   * @param again whether what was found the last time was of no use, so that nothing that is
   *     remembered of it counts
   * @throws sluice.core.CorruptException if there is none
   */
  TocPlace locate(BlobReads layer, boolean again) throws IOException, InterruptedException;
}
