package sluice.snapshotter.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Fidelity;
import sluice.erofs.FileType;
import sluice.erofs.Inode;
import sluice.erofs.Mapping;
import sluice.erofs.MetadataImage;

/**
 * Compares the tree that an index shows with the one that its layer holds: first all that the trees
 * say, then the files byte by byte, which can only be read where chunks are what the index says of
 * them. Ends with the first difference. For one thread, once.
 */
final class TreeComparison {

  private static final int PIECE_BYTES = 1 << 20;

  /** Of directories that converters make up, as they would be unpacked into nothing. */
  private static final int IMPLIED_MODE = 0755;

  private static final Bytes DOT = Bytes.utf8(".");
  private static final Bytes DOT_DOT = Bytes.utf8("..");

  private final Side shown;
  private final Side held;
  private final Fidelity fidelity;
  private final Implied implied;
  private final Deque<Pair> pending = new ArrayDeque<>();

  /** By number in one tree, the number in the other, of files with several names. */
  private final Map<Long, Long> linkedShown = new HashMap<>();

  private final Map<Long, Long> linkedHeld = new HashMap<>();
  private final ByteBuffer shownBytes = ByteBuffer.allocate(PIECE_BYTES);
  private final ByteBuffer heldBytes = ByteBuffer.allocate(PIECE_BYTES);

  /**
   * One of the two trees.
   *
   * @param root number of the directory that it begins with
   */
  record Side(MetadataImage image, long root, DeviceReader files) {
    static Side of(MetadataImage image, DeviceReader files) {
      return new Side(image, image.rootNid(), files);
    }
  }

  /** Which directories of what is held are only implied by the layer that decides on them. */
  @FunctionalInterface
  interface Implied {
    boolean contains(Bytes path) throws IOException;
  }

  /** Two inodes of one path, which begins with no slash. */
  private record Pair(long shown, long held, Bytes path) {}

  /**
   * @param shown what the index shows
   * @param held what the layer holds
   * @param implied is asked where {@code fidelity} has it count
   */
  TreeComparison(Side shown, Side held, Fidelity fidelity, Implied implied) {
    this.shown = shown;
    this.held = held;
    this.fidelity = fidelity;
    this.implied = implied;
  }

  /** The first difference in a sentence; empty if there is none. */
  Optional<String> difference() throws IOException, InterruptedException {
    Optional<String> trees = difference(false);
    return trees.isPresent() ? trees : difference(true);
  }

  private Optional<String> difference(boolean files) throws IOException, InterruptedException {
    linkedShown.clear();
    linkedHeld.clear();
    pending.push(new Pair(shown.root, held.root, Bytes.EMPTY));
    while (!pending.isEmpty()) {
      Optional<String> found = difference(pending.pop(), files);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private Optional<String> difference(Pair pair, boolean files)
      throws IOException, InterruptedException {
    Inode one = shown.image.inode(pair.shown);
    Inode other = held.image.inode(pair.held);
    Optional<String> attributes = attributes(one, other);
    if (attributes.isPresent() && !isExcused(pair, one, other)) {
      return attributes.map(text -> "\"/%s\" %s".formatted(pair.path, text));
    }
    if (one.type() != FileType.DIRECTORY && (one.nlink() > 1 || other.nlink() > 1)) {
      boolean known = linkedShown.containsKey(pair.shown) && linkedHeld.containsKey(pair.held);
      if (!sameLink(pair)) {
        return Optional.of("\"/%s\" is not linked to the same files".formatted(pair.path));
      }
      if (known) {
        return Optional.empty();
      }
    }
    return switch (one.type()) {
      case DIRECTORY -> children(one, other, pair.path);
      case REGULAR -> files ? content(one, other, pair.path) : Optional.empty();
      case SYMLINK -> target(one, other, pair.path);
      case CHARACTER, BLOCK, FIFO, SOCKET ->
          differs(one.rdev(), other.rdev(), "device number")
              .map(text -> "\"/%s\" %s".formatted(pair.path, text));
    };
  }

  private Optional<String> attributes(Inode one, Inode other) throws CorruptException {
    return modes(one.mode(), other.mode())
        .or(() -> differs(one.uid(), other.uid(), "owner"))
        .or(() -> differs(one.gid(), other.gid(), "group"))
        .or(() ->
            one.isDirectory()
                ? Optional.empty()
                : differs(one.sizeBytes(), other.sizeBytes(), "size"))
        .or(() -> times(one, other))
        .or(
            sameXattrs(shown.image.xattrs(one), held.image.xattrs(other))
                ? Optional::empty
                : () -> Optional.of("has other xattrs"));
  }

  /** Whether the directory differs just as the format has it where a layer only implies it. */
  private boolean isExcused(Pair pair, Inode one, Inode other) throws IOException {
    return fidelity.impliedAttributes()
        && other.isDirectory()
        && one.mode() == (FileType.DIRECTORY.modeBits() | IMPLIED_MODE)
        && one.uid() == 0
        && one.gid() == 0
        && one.mtimeSeconds() == 0
        && one.mtimeNanos() == 0
        && shown.image.xattrs(one).isEmpty()
        && implied.contains(pair.path);
  }

  private static Optional<String> modes(int shown, int held) {
    return shown == held
        ? Optional.empty()
        : Optional.of("has mode %o, in the layer %o".formatted(shown, held));
  }

  private boolean sameXattrs(SortedMap<Bytes, Bytes> one, SortedMap<Bytes, Bytes> other) {
    if (!fidelity.emptyXattrsLost()) {
      return one.equals(other);
    }
    SortedMap<Bytes, Bytes> kept = new TreeMap<>(other);
    kept.entrySet()
        .removeIf(xattr -> xattr.getValue().length() == 0 && !one.containsKey(xattr.getKey()));
    return one.equals(kept);
  }

  private Optional<String> times(Inode one, Inode other) {
    return switch (fidelity.times()) {
      case EXACT ->
          differs(one.mtimeSeconds(), other.mtimeSeconds(), "time")
              .or(() -> differs(one.mtimeNanos(), other.mtimeNanos(), "nanoseconds of its time"));
      case WHOLE_SECONDS -> seconds(one.mtimeSeconds(), other.mtimeSeconds());
      case WHOLE_SECONDS_FROM_1970 ->
          one.nid() == shown.root
              ? Optional.empty()
              : seconds(one.mtimeSeconds(), Math.max(0, other.mtimeSeconds()));
    };
  }

  /** They may have been rounded either way. */
  private static Optional<String> seconds(long shown, long held) {
    return Math.abs(shown - held) <= 1 ? Optional.empty() : differs(shown, held, "time");
  }

  private boolean sameLink(Pair pair) {
    Long held = linkedShown.putIfAbsent(pair.shown, pair.held);
    Long shown = linkedHeld.putIfAbsent(pair.held, pair.shown);
    return (held == null || held == pair.held) && (shown == null || shown == pair.shown);
  }

  private Optional<String> children(Inode one, Inode other, Bytes path) throws CorruptException {
    SortedMap<Bytes, Long> ours = list(shown.image, one);
    SortedMap<Bytes, Long> theirs = list(held.image, other);
    if (path.length() == 0) {
      theirs.keySet().removeIf(name -> fidelity.hidden().contains(name) && !ours.containsKey(name));
    }
    for (var entry : ours.entrySet()) {
      Long there = theirs.remove(entry.getKey());
      Bytes name = child(path, entry.getKey());
      if (there == null) {
        return Optional.of("\"/%s\" is not in the layer".formatted(name));
      }
      pending.push(new Pair(entry.getValue(), there, name));
    }
    return theirs.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "\"/%s\" of the layer is not shown".formatted(child(path, theirs.firstKey())));
  }

  private static Bytes child(Bytes directory, Bytes name) {
    if (directory.length() == 0) {
      return name;
    }
    ByteBuffer path = ByteBuffer.allocate(directory.length() + 1 + name.length());
    return Bytes.of(path.put(directory.asBuffer()).put((byte) '/').put(name.asBuffer()).array());
  }

  private static SortedMap<Bytes, Long> list(MetadataImage image, Inode directory)
      throws CorruptException {
    SortedMap<Bytes, Long> entries = new TreeMap<>();
    image.list(
        directory,
        0,
        (nextCookie, nid, type, name) -> {
          if (!name.equals(DOT) && !name.equals(DOT_DOT)) {
            entries.put(name, nid);
          }
          return true;
        });
    return entries;
  }

  private Optional<String> target(Inode one, Inode other, Bytes path) throws CorruptException {
    Bytes ours = shown.image.linkTarget(one);
    Bytes theirs = held.image.linkTarget(other);
    return ours.equals(theirs)
        ? Optional.empty()
        : Optional.of("\"/%s\" leads to \"%s\", not to \"%s\"".formatted(path, ours, theirs));
  }

  private Optional<String> content(Inode one, Inode other, Bytes path)
      throws IOException, InterruptedException {
    long at = 0;
    while (at < one.sizeBytes()) {
      long zeros = Math.min(zeros(shown.image, one, at), zeros(held.image, other, at));
      if (zeros > 0) {
        at += zeros;
        continue;
      }
      int length = (int) Math.min(PIECE_BYTES, one.sizeBytes() - at);
      shown.files.read(one, at, shownBytes.clear().limit(length));
      held.files.read(other, at, heldBytes.clear().limit(length));
      int mismatch = shownBytes.flip().mismatch(heldBytes.flip());
      if (mismatch >= 0) {
        return Optional.of("\"/%s\" has another byte at %d".formatted(path, at + mismatch));
      }
      at += length;
    }
    return Optional.empty();
  }

  /** How many bytes from there on are known to be zeros, so that nobody need read them. */
  private static long zeros(MetadataImage image, Inode file, long offset) throws CorruptException {
    Mapping mapping = image.map(file, offset);
    return mapping.device() == Mapping.ZEROS ? mapping.lengthBytes() : 0;
  }

  private static Optional<String> differs(long shown, long held, String what) {
    return shown == held
        ? Optional.empty()
        : Optional.of("has %s %d, in the layer %d".formatted(what, shown, held));
  }
}
