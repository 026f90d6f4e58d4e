package sluice.command.convert;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import sluice.core.CorruptException;
import sluice.erofs.FileType;
import sluice.erofs.Inode;
import sluice.erofs.MetadataImage;

/**
 * How much the files of a tree hold; a file with several names counts once.
 *
 * @param bytes their sizes together
 * @param chunks how many chunks they are cut into
 */
record FileTotals(long bytes, long chunks) {

  static FileTotals of(MetadataImage image, long rootNid, int chunkBytes) throws CorruptException {
    long bytes = 0;
    long chunks = 0;
    Set<Long> seen = new HashSet<>(Set.of(rootNid));
    Deque<Long> open = new ArrayDeque<>(seen);
    while (!open.isEmpty()) {
      Inode inode = image.inode(open.remove());
      if (inode.type() == FileType.REGULAR) {
        bytes += inode.sizeBytes();
        chunks += Math.ceilDiv(inode.sizeBytes(), chunkBytes);
      } else if (inode.isDirectory()) {
        image.list(
            inode,
            0,
            (cookie, nid, type, name) -> {
              if (seen.add(nid)) {
                open.add(nid);
              }
              return true;
            });
      }
    }
    return new FileTotals(bytes, chunks);
  }
}
