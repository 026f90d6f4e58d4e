package sluice.erofs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * The tree that {@link TreeMerger} makes of layers: per inode where its data and its attributes
 * are, per entry its name and inode; everything else is read from the layers when it is asked for.
 */
final class MergedTree implements TreeSource {

  /** Attributes of a directory of which no layer says any. */
  static final int NO_LAYER = -1;

  /** Attributes that {@link DirectoriesBelow} gave; the nid column has their place in the list. */
  static final int BELOW = -2;

  private static final Attributes IMPLIED = new Attributes(FileType.DIRECTORY.in(0755), 0, 0, 0, 0);

  private final LayerStack layers;
  private final MergedDevices devices;

  final IntColumn dataLayers = new IntColumn();
  final LongColumn dataNids = new LongColumn();
  final IntColumn attributeLayers = new IntColumn();
  final LongColumn attributeNids = new LongColumn();
  final IntColumn parents = new IntColumn();
  final IntColumn names = new IntColumn();
  final IntColumn opaque = new IntColumn();
  final IntColumn firstEntries = new IntColumn();
  final IntColumn entryInodes = new IntColumn();
  final LongColumn entryNames = new LongColumn();

  /** Per entry, the highest inode of it and those before: sorted, to find an inode's entry. */
  private final IntColumn highestUpTo = new IntColumn();

  final NameArena arena = new NameArena();
  final List<Attributes> below = new ArrayList<>();

  MergedTree(LayerStack layers, MergedDevices devices) {
    this.layers = layers;
    this.devices = devices;
  }

  /** Adds an inode with one name, and returns its number. */
  int add(int layer, long nid, int parent) {
    dataLayers.add(layer);
    dataNids.add(nid);
    attributeLayers.add(layer);
    attributeNids.add(nid);
    parents.add(parent);
    names.add(1);
    opaque.add(0);
    return names.size() - 1;
  }

  void addEntry(Bytes name, int inode) {
    int before = highestUpTo.size() == 0 ? 0 : highestUpTo.get(highestUpTo.size() - 1);
    highestUpTo.add(Math.max(before, inode));
    entryInodes.add(inode);
    entryNames.add(arena.add(name));
  }

  /** The first entry of an inode: one of a row that rises with the numbers of new inodes. */
  int entryOf(int inode) {
    int low = 0;
    int high = entryInodes.size() - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (highestUpTo.get(middle) < inode) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  @Override
  public int inodes() {
    return names.size();
  }

  @Override
  public Head head(int number) throws CorruptException {
    int layer = attributeLayers.get(number);
    if (layer < 0) {
      Attributes attributes = withoutInode(number);
      return Head.of(attributes, 0, names.get(number), 0);
    }
    Inode attributes = layers.image(layer).inode(attributeNids.get(number));
    Inode data = data(number);
    int mode = FileType.SYMLINK.of(data.mode()) ? data.mode() : data.type().in(attributes.mode());
    return new Head(
        mode,
        attributes.uid(),
        attributes.gid(),
        attributes.mtimeSeconds(),
        attributes.mtimeNanos(),
        data.type() == FileType.REGULAR ? data.sizeBytes() : 0,
        names.get(number),
        data.rdev());
  }

  private Attributes withoutInode(int number) {
    return attributeLayers.get(number) == NO_LAYER
        ? IMPLIED
        : below.get((int) attributeNids.get(number));
  }

  private Inode data(int number) throws CorruptException {
    return layers.image(dataLayers.get(number)).inode(dataNids.get(number));
  }

  /**
   * A link's xattrs are added to those of its target; no mark is left, but what overlayfs needs.
   */
  @Override
  public SortedMap<Bytes, Bytes> xattrs(int number) throws CorruptException {
    SortedMap<Bytes, Bytes> own = allowed(number);
    if (opaque.get(number) == 0) {
      return own;
    }
    SortedMap<Bytes, Bytes> marked = new TreeMap<>(own);
    marked.put(Marks.OPAQUE, Marks.OPAQUE_VALUE);
    return marked;
  }

  private SortedMap<Bytes, Bytes> allowed(int number) throws CorruptException {
    int layer = attributeLayers.get(number);
    if (layer < 0) {
      return Marks.allowed(withoutInode(number).xattrs());
    }
    MetadataImage image = layers.image(layer);
    SortedMap<Bytes, Bytes> xattrs =
        Marks.allowed(image.xattrs(image.inode(attributeNids.get(number))));
    boolean link =
        layer != dataLayers.get(number) || attributeNids.get(number) != dataNids.get(number);
    if (!link || data(number).isDirectory()) {
      return xattrs;
    }
    SortedMap<Bytes, Bytes> both =
        new TreeMap<>(Marks.allowed(layers.image(dataLayers.get(number)).xattrs(data(number))));
    both.putAll(xattrs);
    return Collections.unmodifiableSortedMap(both);
  }

  @Override
  public Bytes target(int number) throws CorruptException {
    return layers.image(dataLayers.get(number)).linkTarget(data(number));
  }

  @Override
  public void extents(int number, ExtentSink sink) throws IOException {
    int layer = dataLayers.get(number);
    MetadataImage image = layers.image(layer);
    Inode file = data(number);
    for (long at = 0; at < file.sizeBytes(); ) {
      Mapping mapping = image.map(file, at);
      if (mapping.device() == Mapping.IMAGE) {
        throw new CorruptException(
            "inode %d: its data lies in the image itself; only device data can be merged"
                .formatted(file.nid()),
            image.toString(),
            -1);
      }
      if (mapping.device() != Mapping.ZEROS) {
        int device = devices.slotOf(layer, mapping.device());
        sink.extent(new Extent(at, mapping.lengthBytes(), device, mapping.deviceOffset()));
      }
      at += mapping.lengthBytes();
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
    return inode + 1 < firstEntries.size() ? firstEntries.get(inode + 1) : entryInodes.size();
  }

  @Override
  public int entryInode(int entry) {
    return entryInodes.get(entry);
  }

  @Override
  public Bytes entryName(int entry) {
    return arena.get(entryNames.get(entry));
  }

  @Override
  public String resource() {
    return layers.size() == 1
        ? layers.image(0).toString()
        : "%s and %d above it".formatted(layers.image(0), layers.size() - 1);
  }
}
