package sluice.formats.tar;

import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * The headers of one entry as they come: those that say more of the entry that follows, and its own
 * as the last one. For one thread.
 */
final class HeaderChain {

  private static final byte EXTENDED = 'x';
  private static final byte GLOBAL = 'g';
  private static final byte GNU_LONG_NAME = 'L';
  private static final byte GNU_LONG_LINK = 'K';

  private PaxRecords pax = PaxRecords.NONE;
  private Bytes longName = Bytes.EMPTY;
  private Bytes longLink = Bytes.EMPTY;

  /** Whether a header is no entry, but says more of the next one. */
  static boolean isSpecial(TarHeader header) {
    return switch (header.type()) {
      case EXTENDED, GLOBAL, GNU_LONG_NAME, GNU_LONG_LINK -> true;
      default -> false;
    };
  }

  /**
   * Length of the data of a special header.
   *
   * @param offset where the header lies in the tar stream
   */
  static int specialBytes(TarHeader header, long offset, String resource) throws CorruptException {
    if (header.size() < 0 || header.size() > TarLimits.MAX_SPECIAL_BYTES) {
      throw new CorruptException(
          "tar: header of type '%c' with %d bytes, at most %d"
              .formatted(header.type(), header.size(), TarLimits.MAX_SPECIAL_BYTES),
          resource,
          offset);
    }
    return (int) header.size();
  }

  /**
   * Adds a special header.
   *
   * @param content its data
   */
  void add(TarHeader header, byte[] content, long offset, String resource) throws CorruptException {
    switch (header.type()) {
      case EXTENDED -> pax = PaxRecords.parse(content, offset, resource);
      case GNU_LONG_NAME -> longName = firstText(content);
      case GNU_LONG_LINK -> longLink = firstText(content);
      default -> {
        // Global ones change nothing.
      }
    }
  }

  /** All headers of an entry; its own is the last one. */
  EntryHeaders end(TarHeader own, TarField fields, long offset) {
    return new EntryHeaders(fields, offset, own, pax, longName, longLink);
  }

  private static Bytes firstText(byte[] content) {
    return new TarField(content, 0, "").text(0, content.length);
  }
}
