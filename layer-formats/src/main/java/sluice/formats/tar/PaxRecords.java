package sluice.formats.tar;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.formats.entry.PaxXattrs;

/**
 * The records of one PAX extended header (POSIX.1-2017 pax, "pax Extended Header"): each {@code
 * "LENGTH KEY=VALUE\n"}, the length in decimal and of the whole record. Values are bytes and may
 * hold newlines and NULs. A later record of a key replaces an earlier one.
 */
final class PaxRecords {

  static final PaxRecords NONE = new PaxRecords(Map.of());

  private static final String SPARSE_OFFSET = "GNU.sparse.offset";
  private static final String SPARSE_NUMBYTES = "GNU.sparse.numbytes";
  static final String SPARSE_MAP = "GNU.sparse.map";

  /** More digits than the length of any record within the limit on headers. */
  private static final int MAX_LENGTH_DIGITS = 8;

  private static final int NANO_DIGITS = 9;
  private static final int NANOS_PER_SECOND = 1_000_000_000;

  /** Keys are ISO 8859-1 here: one character for each byte. */
  private final Map<String, Bytes> records;

  private PaxRecords(Map<String, Bytes> records) {
    this.records = records;
  }

  /** A point in time; {@code nanos} counts forward from {@code seconds}. */
  record Time(long seconds, int nanos) {}

  /**
   * Parses the content of a header of type x.
   *
   * @param offset where it lies in the tar stream
   */
  static PaxRecords parse(byte[] content, long offset, String resource) throws CorruptException {
    Map<String, Bytes> records = new LinkedHashMap<>();
    StringBuilder sparseMap = new StringBuilder();
    int at = 0;
    while (at < content.length) {
      Cursor record = Cursor.at(content, at);
      if (record == null || !record.valid()) {
        throw new CorruptException(
            "tar: PAX header: no record \"LENGTH KEY=VALUE\"", resource, offset + at);
      }
      if (record.key.equals(SPARSE_OFFSET) || record.key.equals(SPARSE_NUMBYTES)) {
        // Format 0.0 repeats these keys in pairs; format 0.1 has the same numbers in one record.
        sparseMap.append(sparseMap.isEmpty() ? "" : ",").append(latin(record.value));
      } else {
        records.put(record.key, record.value);
      }
      at = record.end;
    }
    if (!sparseMap.isEmpty()) {
      records.put(SPARSE_MAP, Bytes.utf8(sparseMap.toString()));
    }
    return records.isEmpty() ? NONE : new PaxRecords(records);
  }

  /** The value of a key; null if there is none, or an empty one, which says nothing. */
  @Nullable Bytes value(String key) {
    Bytes value = records.get(key);
    return value == null || value.length() == 0 ? null : value;
  }

  /** The value as text, one character a byte; empty if there is none. */
  String text(String key) {
    Bytes value = records.get(key);
    return value == null ? "" : latin(value);
  }

  /**
   * A decimal number.
   *
   * @param otherwise what it is if there is no such record
   * @throws NumberFormatException if the value is none
   */
  long number(String key, long otherwise) {
    Bytes value = value(key);
    return value == null ? otherwise : Long.parseLong(latin(value));
  }

  /**
   * A time, {@code [-]SECONDS[.FRACTION]}, cut off after nanoseconds.
   *
   * @throws NumberFormatException if the value is none
   */
  Time time(String key, long otherwiseSeconds) {
    Bytes value = value(key);
    if (value == null) {
      return new Time(otherwiseSeconds, 0);
    }
    String text = latin(value);
    int dot = text.indexOf('.');
    long seconds = Long.parseLong(dot < 0 ? text : text.substring(0, dot));
    String fraction = dot < 0 ? "" : text.substring(dot + 1);
    if (!fraction.chars().allMatch(c -> c >= '0' && c <= '9')) {
      throw new NumberFormatException(text);
    }
    int nanos = Integer.parseInt((fraction + "0".repeat(NANO_DIGITS)).substring(0, NANO_DIGITS));
    if (nanos == 0 || !text.startsWith("-")) {
      return new Time(seconds, nanos);
    }
    if (seconds == Long.MIN_VALUE) {
      throw new NumberFormatException(text);
    }
    return new Time(seconds - 1, NANOS_PER_SECOND - nanos);
  }

  /** The xattrs among the records. */
  SortedMap<Bytes, Bytes> xattrs() {
    return PaxXattrs.of(records);
  }

  /** All of them; keys are ISO 8859-1. Not to be changed. */
  Map<String, Bytes> all() {
    return records;
  }

  private static String latin(Bytes bytes) {
    return new String(bytes.toArray(), StandardCharsets.ISO_8859_1);
  }

  /** One record of the content. */
  private record Cursor(String key, Bytes value, int end) {

    /** The record that begins at {@code from}; null if its length leads nowhere. */
    static @Nullable Cursor at(byte[] content, int from) {
      int space = from;
      int length = 0;
      while (space < content.length && content[space] >= '0' && content[space] <= '9') {
        length = length * 10 + content[space] - '0';
        space++;
        if (space - from > MAX_LENGTH_DIGITS) {
          return null;
        }
      }
      int end = from + length;
      if (space == from || end > content.length || end - 1 <= space || content[space] != ' ') {
        return null;
      }
      int equals = space + 1;
      while (equals < end && content[equals] != '=') {
        equals++;
      }
      if (equals >= end - 1 || content[end - 1] != '\n') {
        return null;
      }
      String key = new String(content, space + 1, equals - space - 1, StandardCharsets.ISO_8859_1);
      return new Cursor(key, Bytes.of(content, equals + 1, end - equals - 2), end);
    }

    /** Whether key and value are such that Go's reader takes them. */
    boolean valid() {
      return switch (key) {
        case "" -> false;
        case "path", "linkpath", "uname", "gname" -> value.indexOf((byte) 0, 0) < 0;
        case String other -> other.indexOf('\0') < 0;
      };
    }
  }
}
