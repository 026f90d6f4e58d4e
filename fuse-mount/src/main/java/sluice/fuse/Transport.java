package sluice.fuse;

import java.util.Locale;

/** How FUSE is spoken. */
public enum Transport {
  /** {@code /dev/fuse} itself. */
  RAW,
  /**
   * libfuse 2 through jnr-fuse: a mount for each image, names in UTF-8 only, slower. For hosts
   * where the other is not to be had.
   */
  JNR;

  /** As people write it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
