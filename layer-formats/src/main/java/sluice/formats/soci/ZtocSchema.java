package sluice.formats.soci;

import java.util.Map;
import java.util.stream.Collectors;
import sluice.formats.entry.EntryType;
import sluice.formats.entry.EntryType.Known;

/**
 * The fields of a zTOC, by number ({@code ztoc/fbs/ztoc.fbs} of soci-snapshotter, version 0.9).
 *
 * <pre>
 * table Ztoc             0 version string, 1 build_tool_identifier string,
 *                        2 compressed_archive_size i64, 3 uncompressed_archive_size i64,
 *                        4 toc TOC, 5 compression_info CompressionInfo
 * table TOC              0 metadata [FileMetadata]
 * table FileMetadata     0 name string, 1 type string, 2 uncompressed_offset i64,
 *                        3 uncompressed_size i64, 4 linkname string, 5 mode i64, 6 uid u32,
 *                        7 gid u32, 8 uname string, 9 gname string, 10 mod_time string (RFC 3339),
 *                        11 devmajor i64, 12 devminor i64, 13 xattrs [Xattr]
 * table Xattr            0 key string, 1 value string: any record of the PAX header
 * table CompressionInfo  0 compression_algorithm i8 (1 gzip, the default; 2 uncompressed),
 *                        1 max_span_id i32, 2 span_digests [string], 3 checkpoints [u8]
 * </pre>
 */
final class ZtocSchema {

  static final String VERSION = "0.9";

  static final int VERSION_FIELD = 0;
  static final int BUILD_TOOL = 1;
  static final int COMPRESSED_SIZE = 2;
  static final int UNCOMPRESSED_SIZE = 3;
  static final int TOC = 4;
  static final int COMPRESSION_INFO = 5;
  static final int ZTOC_FIELDS = 6;

  static final int METADATA = 0;
  static final int TOC_FIELDS = 1;

  static final int NAME = 0;
  static final int TYPE = 1;
  static final int OFFSET = 2;
  static final int SIZE = 3;
  static final int LINK_NAME = 4;
  static final int MODE = 5;
  static final int UID = 6;
  static final int GID = 7;
  static final int USER_NAME = 8;
  static final int GROUP_NAME = 9;
  static final int MOD_TIME = 10;
  static final int DEV_MAJOR = 11;
  static final int DEV_MINOR = 12;
  static final int XATTRS = 13;
  static final int ENTRY_FIELDS = 14;

  static final int KEY = 0;
  static final int VALUE = 1;
  static final int XATTR_FIELDS = 2;

  static final int ALGORITHM = 0;
  static final int MAX_SPAN_ID = 1;
  static final int SPAN_DIGESTS = 2;
  static final int CHECKPOINTS = 3;
  static final int COMPRESSION_FIELDS = 4;

  static final byte GZIP = 1;
  static final byte UNCOMPRESSED = 2;

  /** Our own, which no other tool knows: {@link FrameSpans}. Far from what SOCI may take next. */
  static final byte ZSTD_FRAMES = 101;

  private static final Map<String, Known> TYPES =
      Map.of(
          "reg",
          Known.FILE,
          "hardlink",
          Known.HARD_LINK,
          "symlink",
          Known.SYMLINK,
          "char",
          Known.CHARACTER,
          "block",
          Known.BLOCK,
          "dir",
          Known.DIRECTORY,
          "fifo",
          Known.FIFO);

  private static final Map<Known, String> LABELS =
      TYPES.entrySet().stream().collect(Collectors.toMap(Map.Entry::getValue, Map.Entry::getKey));

  private ZtocSchema() {}

  static EntryType type(String label) {
    Known known = TYPES.get(label);
    return known == null ? new EntryType.Unknown('"' + label + '"') : known;
  }

  /**
   * @throws IllegalArgumentException if a zTOC has no word for it
   */
  static String label(EntryType type) {
    return switch (type) {
      case Known known -> LABELS.getOrDefault(known, "");
      case EntryType.Unknown(String label) ->
          throw new IllegalArgumentException("a zTOC has no entries of type " + label);
    };
  }
}
