package sluice.snapshotter.state;

import java.util.Locale;

/** What a snapshot is for. */
public enum Kind {
  /** Only read; never committed. */
  VIEW,
  /** Written; becomes committed, or goes. */
  ACTIVE,
  /** Never changes; may be a parent. */
  COMMITTED;

  /** The word that filters use. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
