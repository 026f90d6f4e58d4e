package sluice.snapshotter.image;

import java.util.List;
import sluice.core.IndexOrigin;
import sluice.core.LayerFormat;

/** What the library makes of one layer. */
public sealed interface LayerPlan {

  /** The library has it. */
  record Kept(KeptLayer layer) implements LayerPlan {}

  /**
   * A format can make its tree.
   *
   * @param origin where its index comes from
   * @param wholeImage whether the tree will be that of the whole image up to this layer
   * @param refusals what the formats said that come before it
   */
  record Indexable(
      LayerKey key,
      IndexOrigin origin,
      boolean wholeImage,
      LayerFormat.Indexer indexer,
      List<String> refusals)
      implements LayerPlan {
    public Indexable {
      refusals = List.copyOf(refusals);
    }
  }

  /** It holds only data for the tree of a layer above it. */
  record DataOnly(String format) implements LayerPlan {}

  /** No format serves it: it must be unpacked the ordinary way. */
  record Ordinary(List<String> reasons) implements LayerPlan {
    public Ordinary {
      reasons = List.copyOf(reasons);
    }
  }
}
