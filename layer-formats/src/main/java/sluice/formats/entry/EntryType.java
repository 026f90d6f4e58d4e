package sluice.formats.entry;

/** What an entry of a layer is. */
public sealed interface EntryType {

  /** What tar, and all that describes tar, can say. */
  enum Known implements EntryType {
    FILE,
    HARD_LINK,
    SYMLINK,
    CHARACTER,
    BLOCK,
    DIRECTORY,
    FIFO
  }

  /**
   * Anything else. Such an entry is refused, but where only its name counts: in whiteouts.
   *
   * @param label what the layer calls it
   */
  record Unknown(String label) implements EntryType {}
}
