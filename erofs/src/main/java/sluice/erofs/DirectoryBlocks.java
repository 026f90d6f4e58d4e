package sluice.erofs;

import static sluice.erofs.ImageBytes.LE_LONG;
import static sluice.erofs.ImageBytes.LE_SHORT;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * The dirent blocks of a directory, {@code .} and {@code ..} sorted among the names. Each block is
 * filled with as many whole entries as fit.
 */
final class DirectoryBlocks {

  private static final Bytes DOT = Bytes.utf8(".");
  private static final Bytes DOT_DOT = Bytes.utf8("..");

  private final TreeSource source;

  DirectoryBlocks(TreeSource source) {
    this.source = source;
  }

  /** One entry to be written. */
  record Entry(Bytes name, int inode) {
    int bytes() {
      return DirectoryReader.DIRENT_BYTES + name.length();
    }
  }

  /** Receives the blocks in order. */
  @FunctionalInterface
  interface BlockSink {
    /**
     * One block.
     *
     * @param usedBytes up to the end of the last name
     */
    void block(List<Entry> entries, int usedBytes) throws IOException;
  }

  /** Size of the directory's data: whole blocks, and what is used of the last one. */
  long sizeBytes(int directory) throws IOException {
    long[] size = new long[2];
    forEachBlock(
        directory,
        (entries, used) -> {
          size[0] += size[1] == 0 ? 0 : DeviceSlot.BLOCK_BYTES;
          size[1] = used;
        });
    return size[0] + size[1];
  }

  void forEachBlock(int directory, BlockSink sink) throws IOException {
    List<Entry> block = new ArrayList<>();
    int used = 0;
    int end = source.endEntry(directory);
    int next = source.firstEntry(directory);
    int dots = 0;
    while (next < end || dots < 2) {
      Bytes name = next < end ? checked(directory, source.entryName(next)) : Bytes.EMPTY;
      Bytes dot = dots == 0 ? DOT : DOT_DOT;
      Entry entry;
      if (dots < 2 && (next == end || dot.compareTo(name) < 0)) {
        entry = new Entry(dot, dots == 0 ? directory : source.parent(directory));
        dots++;
      } else {
        entry = new Entry(name, source.entryInode(next));
        next++;
      }
      if (used + entry.bytes() > DeviceSlot.BLOCK_BYTES) {
        sink.block(block, used);
        block.clear();
        used = 0;
      }
      block.add(entry);
      used += entry.bytes();
    }
    sink.block(block, used);
  }

  /** Writes one block over zeros. */
  void write(List<Entry> entries, ImagePlan plan, MemorySegment at) throws CorruptException {
    int dirent = 0;
    int nameAt = entries.size() * DirectoryReader.DIRENT_BYTES;
    for (Entry entry : entries) {
      at.set(LE_LONG, dirent, plan.nid(entry.inode));
      at.set(LE_SHORT, dirent + 8L, (short) nameAt);
      int type = FileType.ofMode(source.head(entry.inode).mode()).direntType();
      at.set(ValueLayout.JAVA_BYTE, dirent + 10L, (byte) type);
      MemorySegment name = MemorySegment.ofBuffer(entry.name.asBuffer());
      MemorySegment.copy(name, 0, at, nameAt, entry.name.length());
      nameAt += entry.name.length();
      dirent += DirectoryReader.DIRENT_BYTES;
    }
  }

  private Bytes checked(int directory, Bytes name) throws CorruptException {
    if (name.length() == 0 || name.length() > DirectoryReader.MAX_NAME_BYTES) {
      throw new CorruptException(
          "name of %d bytes in %s, EROFS and Linux hold %d: \"%s\""
              .formatted(
                  name.length(), Paths.of(source, directory), DirectoryReader.MAX_NAME_BYTES, name),
          source.resource(),
          -1);
    }
    return name;
  }
}
