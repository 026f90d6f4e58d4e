package sluice.snapshotter.state;

import static sluice.snapshotter.state.SnapshotException.Code.ALREADY_EXISTS;
import static sluice.snapshotter.state.SnapshotException.Code.FAILED_PRECONDITION;
import static sluice.snapshotter.state.SnapshotException.Code.INVALID_ARGUMENT;
import static sluice.snapshotter.state.SnapshotException.Code.NOT_FOUND;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The state machine: what containerd may do with snapshots, in which order (containerd,
 * core/snapshots, {@code Snapshotter}). Safe for use by many threads, and holds no lock: the
 * store's transactions decide who was first.
 *
 * <p>A snapshot is in the store before its directory exists, and out of it before the directory
 * goes, which {@link #cleanup} sees to. So a daemon that dies anywhere leaves at most directories
 * without a snapshot, or a snapshot without a directory that nobody was told of.
 */
public final class Snapshotter {
  private final SnapshotStore store;
  private final LazyLayers lazyLayers;
  private final SnapshotDirectories directories;
  private final Chains chains;
  private final MountPlan mountPlan;
  private final LazyPrepare lazyPrepare;

  private Snapshotter(
      SnapshotStore store,
      LazyLayers lazyLayers,
      SnapshotDirectories directories,
      Chains chains,
      Fallbacks fallbacks) {
    this.store = store;
    this.lazyLayers = lazyLayers;
    this.directories = directories;
    this.chains = chains;
    this.mountPlan = new MountPlan(directories, Path.of("/sys/module/overlay/parameters"));
    this.lazyPrepare = new LazyPrepare(store, lazyLayers, fallbacks);
  }

  /**
   * Takes up the work in a root directory, and begins to mount again what snapshots stand on.
   *
   * @param root the daemon's root directory, which this process has locked
   * @param store stays the caller's, who closes it after the last call here
   */
  public static Snapshotter start(
      Path root, SnapshotStore store, LazyLayers lazyLayers, Fallbacks fallbacks)
      throws IOException {
    Snapshotter started = open(root, store, lazyLayers, fallbacks);
    lazyLayers.restore(started.chains.needed(store.all()));
    return started;
  }

  /** As {@link #start}, but mounts nothing: for who only looks, or cleans up. */
  public static Snapshotter open(
      Path root, SnapshotStore store, LazyLayers lazyLayers, Fallbacks fallbacks)
      throws IOException {
    Path directory = Files.createDirectories(root.resolve("snapshots"));
    // Images hold set-id files, which no other user of the host may reach.
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwx------"));
    SnapshotDirectories directories = new SnapshotDirectories(directory);
    return new Snapshotter(store, lazyLayers, directories, new Chains(directories), fallbacks);
  }

  /**
   * Makes a snapshot that can be written; or, if {@code labels} hold {@code
   * containerd.io/snapshot.ref} and the layer can be lazy, commits that layer.
   *
   * @param parent name of a committed snapshot; empty for none
   * @param namespace containerd's namespace; empty if the request did not say
   * @throws SnapshotException with {@code ALREADY_EXISTS} if the layer was committed lazily: so
   *     containerd knows that it need not unpack it
   */
  public List<Mount> prepare(
      SnapshotKey key, String parent, Map<String, String> labels, String namespace)
      throws IOException, InterruptedException {
    Labels.check(labels);
    requireName(key.name(), "key");
    List<Snapshot> below = below(key, parent);
    if (labels.containsKey(Labels.SNAPSHOT_REF)) {
      Optional<SnapshotKey> committed =
          lazyPrepare.commit(key, emptyToNull(parent), chains.layers(below), labels, namespace);
      if (committed.isPresent()) {
        throw new SnapshotException(
            ALREADY_EXISTS,
            "layer %s is served lazily, as snapshot %s"
                .formatted(labels.get(Labels.SNAPSHOT_REF), committed.get()));
      }
    }
    return create(key, Kind.ACTIVE, parent, below, labels);
  }

  /** Makes a snapshot that can only be read. */
  public List<Mount> view(SnapshotKey key, String parent, Map<String, String> labels)
      throws IOException, InterruptedException {
    Labels.check(labels);
    requireName(key.name(), "key");
    return create(key, Kind.VIEW, parent, below(key, parent), labels);
  }

  private List<Mount> create(
      SnapshotKey key, Kind kind, String parent, List<Snapshot> below, Map<String, String> labels)
      throws IOException, InterruptedException {
    try (Lowers lowers = mountLowers(below)) {
      Snapshot snapshot = store.create(key, kind, emptyToNull(parent), labels);
      try {
        directories.make(snapshot.id(), kind, lowers.top(), labels);
        return mountPlan.of(snapshot, lowers.directories());
      } catch (IOException e) {
        removeQuietly(key, e);
        throw e;
      }
    }
  }

  private void removeQuietly(SnapshotKey key, IOException cause) {
    try {
      store.remove(key);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  /** The mounts of an active snapshot or a view, again. */
  public List<Mount> mounts(SnapshotKey key) throws IOException, InterruptedException {
    List<Snapshot> chain = store.chain(key);
    Snapshot snapshot = chain.getLast();
    if (snapshot.kind() == Kind.COMMITTED) {
      throw new SnapshotException(
          FAILED_PRECONDITION, "snapshot %s is committed and has no mounts".formatted(key));
    }
    requireDirectory(snapshot);
    try (Lowers lowers = mountLowers(chain.subList(0, chain.size() - 1))) {
      return mountPlan.of(snapshot, lowers.directories());
    }
  }

  /**
   * Commits an active snapshot; touches only the store.
   *
   * @param parent the snapshot's parent, or empty; another one would be a rebase, which Sluice does
   *     not do
   */
  public void commit(SnapshotKey key, String name, String parent, Map<String, String> labels)
      throws IOException {
    Labels.check(labels);
    requireName(name, "name");
    Snapshot active = require(key);
    String before = active.parent() == null ? "" : active.parent();
    if (!parent.isEmpty() && !parent.equals(before)) {
      throw new SnapshotException(
          INVALID_ARGUMENT,
          "snapshot %s has parent \"%s\" and cannot be committed onto \"%s\": this snapshotter has not the capability rebase"
              .formatted(key, before, parent));
    }
    requireDirectory(active);
    Usage usage = active.kind() == Kind.ACTIVE ? directories.usage(active.id()) : Usage.NONE;
    store.commit(key, name, labels, usage);
  }

  /** Forgets a snapshot; touches only the store. Its files go with the next {@link #cleanup}. */
  public void remove(SnapshotKey key) throws IOException {
    store.remove(key);
  }

  /** What the store knows of a snapshot. */
  public Snapshot stat(SnapshotKey key) throws IOException {
    return require(key);
  }

  /**
   * Changes labels.
   *
   * @param paths {@code labels} or {@code labels.KEY}; none means all labels
   */
  public Snapshot update(SnapshotKey key, Map<String, String> labels, List<String> paths)
      throws IOException {
    return store.update(key, Labels.change(labels, paths));
  }

  /** The snapshots of a snapshotter that any of the filters selects; see {@link Filter}. */
  public List<Snapshot> list(String snapshotter, List<String> filters) throws IOException {
    return store.list(snapshotter).stream().filter(Filter.anyOf(filters)).toList();
  }

  /** What a snapshot occupies now, without its parents. */
  public Usage usage(SnapshotKey key) throws IOException {
    Snapshot snapshot = require(key);
    LazyLayer lazy = snapshot.lazy();
    if (lazy != null) {
      return lazyLayers.usage(lazy);
    }
    return snapshot.kind() == Kind.COMMITTED ? snapshot.usage() : directories.usage(snapshot.id());
  }

  /**
   * Deletes and unmounts what no snapshot of any snapshotter needs any more.
   *
   * @throws IOException after it tried all of it, if a part failed
   */
  public void cleanup() throws IOException {
    try {
      directories.collect(store::ids);
    } catch (IOException | RuntimeException e) {
      // What a container wrote must not keep images of others on the disk.
      try {
        retainNeeded();
      } catch (IOException | RuntimeException also) {
        e.addSuppressed(also);
      }
      throw e;
    }
    retainNeeded();
  }

  private void retainNeeded() throws IOException {
    lazyLayers.retain(() -> chains.needed(store.all()));
  }

  /** How many snapshots there are, of all snapshotters. */
  public SnapshotCounts counts() throws IOException {
    return store.counts();
  }

  /** A loss of power may take the directory of a snapshot that was prepared just before. */
  private void requireDirectory(Snapshot snapshot) throws SnapshotException {
    if (snapshot.kind() != Kind.COMMITTED && !directories.exists(snapshot.id())) {
      throw new SnapshotException(
          FAILED_PRECONDITION,
          "snapshot %s lost its directory; remove it and prepare it again"
              .formatted(snapshot.key()));
    }
  }

  private Snapshot require(SnapshotKey key) throws IOException {
    return store
        .find(key)
        .orElseThrow(() -> new SnapshotException(NOT_FOUND, "snapshot " + key + " does not exist"));
  }

  /** The chain below a new snapshot, lowest first. */
  private List<Snapshot> below(SnapshotKey key, String parent) throws IOException {
    if (parent.isEmpty()) {
      return List.of();
    }
    List<Snapshot> chain = store.chain(key.sibling(parent));
    if (chain.getLast().kind() != Kind.COMMITTED) {
      throw new SnapshotException(
          INVALID_ARGUMENT,
          "parent %s of snapshot %s is %s, only a committed one can be a parent"
              .formatted(parent, key, chain.getLast().kind().label()));
    }
    return chain;
  }

  private Lowers mountLowers(List<Snapshot> committed) throws IOException, InterruptedException {
    return Lowers.mount(Chains.lowers(chains.layers(committed)), lazyLayers);
  }

  private static void requireName(String name, String what) throws SnapshotException {
    if (name.isEmpty()) {
      throw new SnapshotException(INVALID_ARGUMENT, "snapshot: the " + what + " is empty");
    }
  }

  private static @Nullable String emptyToNull(String text) {
    return text.isEmpty() ? null : text;
  }
}
