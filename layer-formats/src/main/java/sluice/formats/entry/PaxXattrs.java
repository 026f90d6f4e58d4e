package sluice.formats.entry;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import sluice.core.Bytes;

/**
 * The xattrs among the records of a PAX extended header: as star writes them ({@code
 * SCHILY.xattr.}), which containerd reads, and those that only libarchive's own records hold
 * ({@code LIBARCHIVE.xattr.}, name percent-encoded, value in base64).
 */
public final class PaxXattrs {

  private static final String SCHILY = "SCHILY.xattr.";
  private static final String LIBARCHIVE = "LIBARCHIVE.xattr.";

  private PaxXattrs() {}

  /**
   * The xattrs among the records.
   *
   * @param records by key; keys are ISO 8859-1, one character for each byte
   * @return the xattrs by full name
   * @throws IllegalArgumentException if a record of libarchive is not encoded so
   */
  public static SortedMap<Bytes, Bytes> of(Map<String, Bytes> records) {
    SortedMap<Bytes, Bytes> xattrs = new TreeMap<>();
    records.forEach((key, value) -> {
      if (key.startsWith(LIBARCHIVE)) {
        xattrs.putIfAbsent(
            percentDecoded(key.substring(LIBARCHIVE.length())),
            Bytes.of(Base64.getDecoder().decode(value.toArray())));
      }
    });
    records.forEach((key, value) -> {
      if (key.startsWith(SCHILY)) {
        xattrs.put(bytes(key.substring(SCHILY.length())), value);
      }
    });
    return xattrs;
  }

  private static Bytes percentDecoded(String text) {
    StringBuilder decoded = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) == '%' && i + 2 < text.length()) {
        decoded.append((char) Integer.parseInt(text, i + 1, i + 3, 16));
        i += 2;
      } else {
        decoded.append(text.charAt(i));
      }
    }
    return bytes(decoded.toString());
  }

  private static Bytes bytes(String latin) {
    return Bytes.of(latin.getBytes(StandardCharsets.ISO_8859_1));
  }
}
