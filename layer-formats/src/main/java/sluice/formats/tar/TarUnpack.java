package sluice.formats.tar;

import java.io.IOException;
import sluice.erofs.LayerTree;
import sluice.formats.entry.EntryTree;
import sluice.formats.entry.LayerEntry;
import sluice.formats.record.RecordedEntry;
import sluice.formats.record.Recording;

/**
 * Turns the entries of a tar stream into a tree and a device. For one thread.
 *
 * <p>Beyond containerd, which does not know them: old GNU sparse files (type S) are taken, which
 * other tools make. Contiguous files (type 7) are refused as there.
 */
final class TarUnpack {

  private final TarReader reader;
  private final TarInput input;
  private final EntryTree tree;
  private final DeviceWriter files;
  private final Recording recording;

  /**
   * @param reader reads {@code input}
   */
  TarUnpack(
      TarReader reader, TarInput input, LayerTree tree, DeviceWriter files, Recording recording) {
    this.reader = reader;
    this.input = input;
    this.tree = new EntryTree(tree, input::corrupt);
    this.files = files;
    this.recording = recording;
  }

  /** Unpacks all entries, and reads the tar stream to its end. */
  void run() throws IOException {
    TarEntry entry;
    while ((entry = reader.next()) != null) {
      TarEntry of = entry;
      LayerEntry added = layerEntry(of);
      tree.add(
          added,
          () -> {
            reader.content(of, files);
            return files.endFile();
          });
      recording.entry(recorded(added, of));
    }
    recording.endOfEntries(input.position());
    input.drain();
  }

  private static LayerEntry layerEntry(TarEntry entry) {
    return new LayerEntry(
        entry.offset(),
        EntryHeaders.entryType(entry.type()),
        entry.name(),
        entry.linkName(),
        entry.size(),
        entry.mode(),
        entry.uid(),
        entry.gid(),
        entry.mtime(),
        entry.nanos(),
        entry.devMajor(),
        entry.devMinor(),
        entry.xattrs());
  }

  private static RecordedEntry recorded(LayerEntry added, TarEntry entry) {
    TarEntry.Raw raw = entry.raw();
    return new RecordedEntry(
        added,
        raw.dataOffset(),
        raw.statedSize(),
        entry.sparse() != null,
        raw.userName(),
        raw.groupName(),
        raw.records().all());
  }
}
