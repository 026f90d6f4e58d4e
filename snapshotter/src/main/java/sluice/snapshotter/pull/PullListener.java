package sluice.snapshotter.pull;

import sluice.snapshotter.image.ResolvedImage;

/** Is told how a pull goes, by the thread that pulls; it returns soon and throws nothing. */
public interface PullListener {

  /** The reference leads to this. */
  void resolved(ResolvedImage image);

  /** The snapshotter is asked for a layer, lowest first; how long that takes is its business. */
  void asked(PulledLayer.Name layer);

  /** The layer is not lazy: so many bytes more of it came from the registry. */
  void received(PulledLayer.Name layer, long lengthBytes);

  /** The layer is there. */
  void done(PulledLayer layer);
}
