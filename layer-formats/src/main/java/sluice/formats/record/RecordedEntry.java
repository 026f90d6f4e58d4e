package sluice.formats.record;

import java.util.Map;
import sluice.core.Bytes;
import sluice.formats.entry.LayerEntry;

/**
 * An entry of a tar stream, with what its headers hold beyond what a tree needs.
 *
 * @param dataOffset where its data lies in the tar stream, or would: the end of its last header
 * @param statedSize what the header says, for whatever type
 * @param sparse whether the file has holes that lie nowhere in the stream
 * @param records those of its PAX header; keys are ISO 8859-1, one character for each byte
 */
public record RecordedEntry(
    LayerEntry entry,
    long dataOffset,
    long statedSize,
    boolean sparse,
    Bytes userName,
    Bytes groupName,
    Map<String, Bytes> records) {
  public RecordedEntry {
    records = Map.copyOf(records);
  }
}
