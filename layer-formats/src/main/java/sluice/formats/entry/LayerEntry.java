package sluice.formats.entry;

import java.util.SortedMap;
import sluice.core.Bytes;

/**
 * One entry of a layer as the layer says it: nothing is cleaned, checked or bounded yet.
 *
 * @param offset where it stands in what is read, for messages
 * @param name its path
 * @param linkName target of a hard link or a symlink; empty for others
 * @param size of a file, holes included
 * @param mode permissions, set-id and sticky bits; more bits are ignored
 * @param nanos 0 to 999,999,999, forward from {@code mtime}
 * @param xattrs by full name
 */
public record LayerEntry(
    long offset,
    EntryType type,
    Bytes name,
    Bytes linkName,
    long size,
    long mode,
    long uid,
    long gid,
    long mtime,
    int nanos,
    long devMajor,
    long devMinor,
    SortedMap<Bytes, Bytes> xattrs) {}
