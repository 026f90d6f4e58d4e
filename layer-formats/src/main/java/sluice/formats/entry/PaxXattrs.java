package sluice.formats.entry;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import sluice.core.Bytes;

/**
 * The xattrs among the records of a PAX extended header: as star writes them ({@code
 * SCHILY.xattr.}). containerd's unpack reads no others, so libarchive's own records ({@code
 * LIBARCHIVE.xattr.}), which stand beside those of star, are not shown either.
 */
public final class PaxXattrs {

  private static final String SCHILY = "SCHILY.xattr.";

  private PaxXattrs() {}

  /**
   * The xattrs among the records.
   *
   * @param records by key; keys are ISO 8859-1, one character for each byte
   * @return the xattrs by full name
   */
  public static SortedMap<Bytes, Bytes> of(Map<String, Bytes> records) {
    SortedMap<Bytes, Bytes> xattrs = new TreeMap<>();
    records.forEach((key, value) -> {
      if (key.startsWith(SCHILY)) {
        byte[] name = key.substring(SCHILY.length()).getBytes(StandardCharsets.ISO_8859_1);
        xattrs.put(Bytes.of(name), value);
      }
    });
    return xattrs;
  }
}
