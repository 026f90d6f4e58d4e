package sluice.snapshotter.pull;

import sluice.core.Descriptor;
import sluice.core.Digest;

/** A layer that containerd has a snapshot of. */
public record PulledLayer(Name name, State state) {

  /**
   * Which layer it is.
   *
   * @param number 1 for the lowest
   * @param descriptor its blob
   * @param chainId the name of its snapshot
   */
  public record Name(int number, Descriptor descriptor, Digest chainId) {}

  /** What had to be done for it. */
  public enum State {
    /** Nothing: the namespace had its snapshot already. */
    KNOWN,
    /** The snapshotter had it, or made it, without an unpack. */
    LAZY,
    /** It was fetched whole and unpacked by containerd. */
    UNPACKED
  }
}
