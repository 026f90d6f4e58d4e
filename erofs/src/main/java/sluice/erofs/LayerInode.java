package sluice.erofs;

import java.util.HashMap;
import java.util.Map;
import sluice.core.Bytes;

/** An inode of a {@link LayerTree}; hard links are names of the same object. */
final class LayerInode {

  /** What is behind the attributes, by type. */
  sealed interface Payload {}

  /** A regular file. */
  record RegularFile(FileContent content) implements Payload {}

  record Symlink(Bytes target) implements Payload {}

  /** A device, a fifo, a socket: the mode says which. */
  record Special(long rdev) implements Payload {}

  /** Hides this name in the layers below. */
  record Whiteout() implements Payload {}

  /** A hard link whose target is not in this layer, or comes later in it. */
  record LinkBelow(Bytes target) implements Payload {}

  /** A directory. */
  static final class Directory implements Payload {
    final Map<Bytes, LayerInode> children = new HashMap<>();
    boolean implied;
    boolean opaque;

    Directory(boolean implied, boolean opaque) {
      this.implied = implied;
      this.opaque = opaque;
    }
  }

  final Payload payload;
  Attributes attributes;

  /** Its number in the {@link LayerTreeSource} that was made last. */
  int number = -1;

  LayerInode(Payload payload, Attributes attributes) {
    this.payload = payload;
    this.attributes = attributes;
  }
}
