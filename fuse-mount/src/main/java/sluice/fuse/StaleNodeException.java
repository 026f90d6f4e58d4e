package sluice.fuse;

import java.io.IOException;

/** A node id that this file system does not know, or knows no longer. */
public final class StaleNodeException extends IOException {
  private static final long serialVersionUID = 1L;

  StaleNodeException(long node) {
    super("node 0x%x: no mounted image has it".formatted(node));
  }
}
