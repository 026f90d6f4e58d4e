package sluice.formats.soci;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import sluice.core.Bytes;
import sluice.formats.entry.EntryType;
import sluice.formats.entry.LayerEntry;
import sluice.formats.entry.PaxXattrs;

/**
 * One entry of a layer's tar stream as a zTOC has it ({@code table FileMetadata}).
 *
 * @param dataOffset where its data lies in the tar stream, or would: the end of its last header
 * @param size what the header says, for whatever type; holes of a sparse file included
 * @param name as it stands in the tar: not cleaned, and not UTF-8 unless it was
 * @param linkName target of a hard link or a symlink; empty for others
 * @param mode as tar has it: permissions, set-id and sticky bits
 * @param uid unsigned 32 bits
 * @param gid unsigned 32 bits
 * @param mtime seconds since 1970
 * @param nanos 0 to 999,999,999, forward from {@code mtime}
 * @param records those of its PAX header, of which the xattrs count; keys are ISO 8859-1, one
 *     character for each byte
 */
public record ZtocEntry(
    EntryType type,
    long dataOffset,
    long size,
    Bytes name,
    Bytes linkName,
    long mode,
    long uid,
    long gid,
    Bytes userName,
    Bytes groupName,
    long mtime,
    int nanos,
    long devMajor,
    long devMinor,
    SortedMap<String, Bytes> records) {

  private static final String SPARSE = "GNU.sparse.";

  public ZtocEntry {
    records = Collections.unmodifiableSortedMap(new TreeMap<>(records));
  }

  /**
   * Length of its data in the tar stream; 0 for types that have none, whatever their size says.
   * Those that are not known have some, as far as anybody knows.
   */
  long dataBytes() {
    return type == EntryType.Known.FILE || type instanceof EntryType.Unknown ? size : 0;
  }

  /** Whether it is a sparse file: less data than its size says, and it is not said where. */
  boolean sparse() {
    return records.keySet().stream().anyMatch(key -> key.startsWith(SPARSE));
  }

  /** The entry as trees take it. */
  LayerEntry layerEntry() {
    return new LayerEntry(
        dataOffset,
        type,
        name,
        linkName,
        size,
        mode,
        uid,
        gid,
        mtime,
        nanos,
        devMajor,
        devMinor,
        PaxXattrs.of(records));
  }
}
