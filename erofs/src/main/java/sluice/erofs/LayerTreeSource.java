package sluice.erofs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import sluice.core.Bytes;
import sluice.erofs.LayerInode.Directory;
import sluice.erofs.LayerInode.LinkBelow;
import sluice.erofs.LayerInode.RegularFile;
import sluice.erofs.LayerInode.Special;
import sluice.erofs.LayerInode.Symlink;
import sluice.erofs.LayerInode.Whiteout;

/** A {@link LayerTree}, numbered breadth first, with its {@link Marks} as xattrs. */
final class LayerTreeSource implements TreeSource {

  private final String resource;
  private final List<LayerInode> inodes = new ArrayList<>();
  private final IntColumn parents = new IntColumn();
  private final IntColumn names = new IntColumn();
  private final IntColumn firstEntries = new IntColumn();
  private final IntColumn entryInodes = new IntColumn();
  private final List<Bytes> entryNames = new ArrayList<>();

  private LayerTreeSource(String resource) {
    this.resource = resource;
  }

  static LayerTreeSource of(LayerTree tree) {
    LayerTreeSource source = new LayerTreeSource(tree.resource());
    source.add(tree.root(), 0);
    for (int i = 0; i < source.inodes.size(); i++) {
      source.firstEntries.add(source.entryNames.size());
      if (source.inodes.get(i).payload instanceof Directory directory) {
        source.addChildren(i, directory);
      }
    }
    return source;
  }

  private void addChildren(int parent, Directory directory) {
    List<Map.Entry<Bytes, LayerInode>> children = new ArrayList<>(directory.children.entrySet());
    children.sort(Map.Entry.comparingByKey());
    for (Map.Entry<Bytes, LayerInode> child : children) {
      LayerInode inode = child.getValue();
      if (isNumbered(inode)) {
        names.set(inode.number, names.get(inode.number) + 1);
      } else {
        add(inode, parent);
      }
      entryInodes.add(inode.number);
      entryNames.add(child.getKey());
    }
  }

  /** By this source: an inode may hold a number of an earlier one. */
  private boolean isNumbered(LayerInode inode) {
    return inode.number >= 0 && inode.number < inodes.size() && inodes.get(inode.number) == inode;
  }

  private void add(LayerInode inode, int parent) {
    inode.number = inodes.size();
    inodes.add(inode);
    parents.add(parent);
    names.add(1);
  }

  @Override
  public int inodes() {
    return inodes.size();
  }

  @Override
  public Head head(int number) {
    LayerInode inode = inodes.get(number);
    long size = inode.payload instanceof RegularFile(FileContent content) ? content.sizeBytes() : 0;
    long rdev = inode.payload instanceof Special(long device) ? device : 0;
    return Head.of(inode.attributes, size, names.get(number), rdev);
  }

  @Override
  public SortedMap<Bytes, Bytes> xattrs(int number) {
    LayerInode inode = inodes.get(number);
    SortedMap<Bytes, Bytes> own = inode.attributes.xattrs();
    return switch (inode.payload) {
      case Directory directory -> marked(own, directory);
      case LinkBelow(Bytes target) -> with(own, Marks.LINK, target);
      case RegularFile _, Symlink _, Special _, Whiteout _ -> own;
    };
  }

  private static SortedMap<Bytes, Bytes> marked(SortedMap<Bytes, Bytes> own, Directory directory) {
    SortedMap<Bytes, Bytes> xattrs = own;
    if (directory.implied) {
      xattrs = with(xattrs, Marks.IMPLIED, Bytes.EMPTY);
    }
    if (directory.opaque) {
      xattrs = with(xattrs, Marks.OPAQUE, Marks.OPAQUE_VALUE);
    }
    return xattrs;
  }

  private static SortedMap<Bytes, Bytes> with(
      SortedMap<Bytes, Bytes> xattrs, Bytes name, Bytes value) {
    SortedMap<Bytes, Bytes> more = new TreeMap<>(xattrs);
    more.put(name, value);
    return Collections.unmodifiableSortedMap(more);
  }

  @Override
  public Bytes target(int inode) {
    return inodes.get(inode).payload instanceof Symlink(Bytes target) ? target : Bytes.EMPTY;
  }

  @Override
  public void extents(int inode, ExtentSink sink) throws IOException {
    if (inodes.get(inode).payload instanceof RegularFile(FileContent content)) {
      for (Extent extent : content.extents()) {
        sink.extent(extent);
      }
    }
  }

  @Override
  public int parent(int directory) {
    return parents.get(directory);
  }

  @Override
  public int firstEntry(int inode) {
    return firstEntries.get(inode);
  }

  @Override
  public int endEntry(int inode) {
    return inode + 1 < inodes.size() ? firstEntries.get(inode + 1) : entryNames.size();
  }

  @Override
  public int entryInode(int entry) {
    return entryInodes.get(entry);
  }

  @Override
  public Bytes entryName(int entry) {
    return entryNames.get(entry);
  }

  @Override
  public String resource() {
    return resource;
  }
}
