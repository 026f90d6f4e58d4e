package sluice.formats.rafs;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import sluice.core.Bytes;
import sluice.erofs.Inode;

/** An inode of the bootstrap that is being written. */
final class RafsNode {

  /** A name in a directory. */
  record Child(Bytes name, RafsNode node) {}

  final Inode source;
  final Bytes xattrs;

  /** Of a directory, sorted; without dot and dot-dot. */
  final List<Child> children = new ArrayList<>();

  /** Numbers of a regular file's chunks. */
  int[] chunks = {};

  /** What is neither: a link target, or a directory's blocks once they are encoded. */
  byte[] data = {};

  Optional<RafsNode> parent = Optional.empty();

  /** Where the inode lies in the image. */
  long offset;

  /** First block of data that does not lie behind the inode; 0 if there is none. */
  long dataBlock;

  /** How many bytes at the end of {@link #data} lie behind the inode. */
  int inlineBytes;

  RafsNode(Inode source, Bytes xattrs) {
    this.source = source;
    this.xattrs = xattrs;
  }

  /** Length of the inode with its xattrs. */
  int headerBytes() {
    return RafsInode.BYTES + xattrs.length();
  }

  /** How long a directory's listing will be, or a link target is. */
  int outerBytes() {
    return data.length - inlineBytes;
  }
}
