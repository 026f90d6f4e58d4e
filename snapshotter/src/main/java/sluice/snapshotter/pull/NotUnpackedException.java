package sluice.snapshotter.pull;

import java.io.IOException;

/** A layer is not lazy, and containerd has no way to unpack it. */
public final class NotUnpackedException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String chainId;

  NotUnpackedException(String message, String chainId, Throwable cause) {
    super(message, cause);
    this.chainId = chainId;
  }

  /** By which the snapshotter knows the layer, and so why it is not lazy. */
  public String chainId() {
    return chainId;
  }
}
