package sluice.erofs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.erofs.LayerStack.Source;
import sluice.erofs.LayerStack.Stacked;

/**
 * Merges the trees of layers, breadth first: directories wait in the columns of the tree that is
 * made, and each is merged from its parts in one pass over their sorted entries.
 *
 * <p>An inode of a layer becomes one inode, however many names it has, and a link into a lower
 * layer is one more name of the inode that its target is there. So link counts are those of the
 * names that are left. The attributes of the topmost link hold for all names.
 *
 * <p>Hostile images end in an error: a directory that is met twice, more entries than the image has
 * room for, names out of order, links that lead in a circle.
 */
final class TreeMerger {

  static final Bytes TREE = Bytes.utf8("fs");

  /** A dirent and a name of one byte. */
  private static final int MIN_ENTRY_BYTES = DirectoryReader.DIRENT_BYTES + 1;

  private static final int NID_BITS = 48;

  /** The columns of an inode here, in {@link MergedTree} and in {@link ImagePlan}. */
  private static final int INODE_BYTES = 80;

  /** Its place in a {@link LongIntMap}, as that is copied. */
  private static final int NUMBER_BYTES = 72;

  /** The columns of an entry, and what its name takes besides itself. */
  private static final int ENTRY_BYTES = 26;

  /** The columns of a part. */
  private static final int PART_BYTES = 18;

  /** {@link Attributes} without xattrs, and a place in a list. */
  private static final int ATTRIBUTES_BYTES = 56;

  private final LayerStack layers;
  private final LinkTargets links;
  private final MergedTree tree;
  private final @Nullable DirectoriesBelow below;
  private final LayerTree.Growth growth;
  private final LongIntMap numbers = new LongIntMap();
  private final long[] entriesLeft;

  /** Parts of directories that wait to be merged: first index by inode, then layers and nids. */
  private final IntColumn firstParts = new IntColumn();

  private final IntColumn partLayers = new IntColumn();
  private final LongColumn partNids = new LongColumn();

  /** The directory that {@link #whiteoutsKept} is said of. */
  private int whiteoutsOf = -1;

  private boolean whiteoutsKept;

  private TreeMerger(
      LayerStack layers,
      MergedTree tree,
      @Nullable DirectoriesBelow below,
      LayerTree.Growth growth) {
    this.layers = layers;
    this.links = new LinkTargets(layers);
    this.tree = tree;
    this.below = below;
    this.growth = growth;
    this.entriesLeft = new long[layers.size()];
    for (int i = 0; i < entriesLeft.length; i++) {
      entriesLeft[i] = layers.image(i).lengthBytes() / MIN_ENTRY_BYTES;
    }
  }

  /**
   * Merges layers.
   *
   * @param below what stays below and whiteouts must be kept for; null if nothing does
   * @param growth is asked before the tree grows
   */
  static MergedTree merge(
      LayerStack layers,
      MergedDevices devices,
      @Nullable DirectoriesBelow below,
      LayerTree.Growth growth)
      throws IOException {
    MergedTree tree = new MergedTree(layers, devices);
    TreeMerger merger = new TreeMerger(layers, tree, below, growth);
    Stacked root = layers.stack(layers.roots(layers.size()));
    tree.add(root.top().layer(), root.top().inode().nid(), 0);
    tree.attributeLayers.set(0, MergedTree.NO_LAYER);
    merger.firstParts.add(0);
    tree.firstEntries.add(0);
    merger.addDirectory(TREE, root, 0);
    for (int inode = 1; inode < tree.inodes(); inode++) {
      tree.firstEntries.add(tree.entryInodes.size());
      merger.mergeEntries(inode);
    }
    return tree;
  }

  private int endPart(int inode) {
    return inode + 1 < firstParts.size() ? firstParts.get(inode + 1) : partLayers.size();
  }

  private void mergeEntries(int directory) throws IOException {
    Comparator<DirectoryCursor.Entry> byName = Comparator.comparing(DirectoryCursor.Entry::name);
    record Head(DirectoryCursor.Entry entry, DirectoryCursor cursor) {}
    PriorityQueue<Head> heads =
        new PriorityQueue<>(
            Comparator.comparing(Head::entry, byName).thenComparingInt(head -> -head.cursor.layer));
    for (int part = firstParts.get(directory); part < endPart(directory); part++) {
      int layer = partLayers.get(part);
      MetadataImage image = layers.image(layer);
      DirectoryCursor cursor = new DirectoryCursor(layer, image, image.inode(partNids.get(part)));
      DirectoryCursor.Entry entry = cursor.peek();
      if (entry != null) {
        heads.add(new Head(entry, cursor));
      }
    }
    List<Source> sources = new ArrayList<>();
    while (!heads.isEmpty()) {
      Bytes name = heads.element().entry.name();
      sources.clear();
      while (!heads.isEmpty() && heads.element().entry.name().equals(name)) {
        Head head = heads.remove();
        sources.add(taken(head.cursor.layer, head.entry.nid()));
        head.cursor.advance();
        DirectoryCursor.Entry next = head.cursor.peek();
        if (next != null) {
          heads.add(new Head(next, head.cursor));
        }
      }
      addEntry(name, sources, directory);
    }
  }

  private Source taken(int layer, long nid) throws CorruptException {
    if (--entriesLeft[layer] < 0) {
      throw corrupt(layer, "more directory entries than the image has room for");
    }
    return layers.source(layer, nid);
  }

  /**
   * Whether overlayfs will lay a directory over one below. Only there it takes whiteouts for what
   * they are: in a directory that is of one layer alone it lists them, and has no such file then.
   */
  private boolean keepsWhiteouts(int directory, DirectoriesBelow under) throws IOException {
    if (whiteoutsOf != directory) {
      whiteoutsOf = directory;
      whiteoutsKept = !hidesBelow(directory) && under.attributes(path(directory)).isPresent();
    }
    return whiteoutsKept;
  }

  private boolean hidesBelow(int directory) {
    for (int at = directory; at > 0; at = tree.parents.get(at)) {
      if (tree.opaque.get(at) != 0) {
        return true;
      }
    }
    return false;
  }

  private void addEntry(Bytes name, List<Source> sources, int parent) throws IOException {
    Stacked stacked = layers.stack(sources);
    Inode inode = stacked.top().inode();
    if (inode.isDirectory()) {
      addDirectory(name, stacked, parent);
    } else if (!LayerStack.isWhiteout(inode)) {
      addFile(name, stacked.top(), parent);
    } else if (below != null && keepsWhiteouts(parent, below)) {
      addEntry(name, add(stacked.top(), parent));
    }
  }

  private void addEntry(Bytes name, int inode) throws IOException {
    growth.grow(ENTRY_BYTES + (long) name.length());
    tree.addEntry(name, inode);
  }

  private void addDirectory(Bytes name, Stacked stacked, int parent) throws IOException {
    Source top = stacked.top();
    if (numbers.get(key(top)) != LongIntMap.NONE) {
      throw corrupt(top.layer(), "directory " + top.inode().nid() + " is met twice");
    }
    int number = add(top, parent);
    addEntry(name, number);
    growth.grow((long) (NUMBER_BYTES + PART_BYTES) * stacked.parts().size());
    for (Source part : stacked.parts()) {
      numbers.put(key(part), number);
      partLayers.add(part.layer());
      partNids.add(part.inode().nid());
    }
    tree.opaque.set(number, below != null && stacked.cut() ? 1 : 0);
    if (stacked.attributes().isPresent()) {
      Source attributes = stacked.attributes().get();
      tree.attributeLayers.set(number, attributes.layer());
      tree.attributeNids.set(number, attributes.inode().nid());
    } else {
      takeFromBelow(number, stacked.attributesCut());
    }
  }

  private void takeFromBelow(int number, boolean cut) throws IOException {
    tree.attributeLayers.set(number, MergedTree.NO_LAYER);
    if (below == null || cut) {
      return;
    }
    Optional<Attributes> attributes = below.attributes(path(number));
    if (attributes.isPresent()) {
      growth.grow(ATTRIBUTES_BYTES + TreeHeap.xattrs(attributes.get().xattrs()));
      tree.attributeLayers.set(number, MergedTree.BELOW);
      tree.attributeNids.set(number, tree.below.size());
      tree.below.add(attributes.get().withMode(FileType.DIRECTORY.in(attributes.get().mode())));
    }
  }

  private void addFile(Bytes name, Source source, int parent) throws IOException {
    Optional<Bytes> target = layers.linkMark(source);
    Source data = target.isPresent() ? links.resolve(source, target.get()) : source;
    int number = numbers.get(key(data));
    if (number == LongIntMap.NONE) {
      number = add(data, parent);
      growth.grow(NUMBER_BYTES);
      numbers.put(key(data), number);
    } else {
      tree.names.set(number, tree.names.get(number) + 1);
    }
    addEntry(name, number);
    if (target.isPresent() && source.layer() >= tree.attributeLayers.get(number)) {
      tree.attributeLayers.set(number, source.layer());
      tree.attributeNids.set(number, source.inode().nid());
    }
  }

  private int add(Source source, int parent) throws IOException {
    growth.grow(INODE_BYTES);
    firstParts.add(partLayers.size());
    return tree.add(source.layer(), source.inode().nid(), parent);
  }

  /** The path below {@link #TREE} of a directory that has its entry. */
  private Bytes path(int directory) {
    List<Bytes> parts = new ArrayList<>();
    for (int at = directory; at != 1; at = tree.parents.get(at)) {
      parts.add(tree.entryName(tree.entryOf(at)));
    }
    Collections.reverse(parts);
    return TreePath.join(parts);
  }

  private static long key(Source source) {
    return ((long) source.layer() << NID_BITS) | source.inode().nid();
  }

  private CorruptException corrupt(int layer, String problem) {
    return new CorruptException(problem, layers.image(layer).toString(), -1);
  }
}
