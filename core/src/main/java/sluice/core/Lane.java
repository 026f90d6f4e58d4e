package sluice.core;

/** Who waits for bytes of a registry; lanes do not share connections. */
public enum Lane {
  /** A container, a mount or a pull waits for them now. */
  DEMAND,
  /** A recorded trace or a prefetch list says that they come next. */
  STARTUP,
  /** The rest of an image; gives way to the other lanes. */
  FILL
}
