package sluice.snapshotter.state;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads chains of snapshots as chains of layers. */
final class Chains {

  private final SnapshotDirectories directories;

  Chains(SnapshotDirectories directories) {
    this.directories = directories;
  }

  /** The layers of committed snapshots, in their order. */
  List<CommittedLayer> layers(List<Snapshot> committed) {
    return committed.stream().map(this::layer).toList();
  }

  private CommittedLayer layer(Snapshot snapshot) {
    LazyLayer lazy = snapshot.lazy();
    return lazy == null
        ? new CommittedLayer.Local(snapshot.id(), directories.files(snapshot.id()))
        : new CommittedLayer.Lazy(lazy);
  }

  /** What overlayfs is to be given for a chain. */
  sealed interface Lower {
    record Directory(CommittedLayer.Local layer) implements Lower {}

    record Run(LazyRun run) implements Lower {}
  }

  /** Joins neighbours that are lazy; lowest first. */
  static List<Lower> lowers(List<CommittedLayer> chain) {
    List<Lower> lowers = new ArrayList<>();
    for (int i = 0; i < chain.size(); i++) {
      switch (chain.get(i)) {
        case CommittedLayer.Local local -> lowers.add(new Lower.Directory(local));
        case CommittedLayer.Lazy first -> {
          List<LazyLayer> run = new ArrayList<>(List.of(first.layer()));
          int below = i;
          while (i + 1 < chain.size() && chain.get(i + 1) instanceof CommittedLayer.Lazy next) {
            run.add(next.layer());
            i++;
          }
          lowers.add(new Lower.Run(new LazyRun(chain.subList(0, below), run)));
        }
      }
    }
    return lowers;
  }

  /**
   * What must stay for these snapshots.
   *
   * @param all every snapshot, each after its parent
   */
  LazyLayers.Needed needed(List<Snapshot> all) {
    Map<SnapshotKey, List<CommittedLayer>> chains = new HashMap<>();
    Set<LazyLayer> committed = new HashSet<>();
    Set<List<CommittedLayer>> stoodOn = new HashSet<>();
    for (Snapshot snapshot : all) {
      String parent = snapshot.parent();
      List<CommittedLayer> below =
          parent == null
              ? List.of()
              : chains.getOrDefault(snapshot.key().sibling(parent), List.of());
      LazyLayer lazy = snapshot.lazy();
      if (lazy != null) {
        committed.add(lazy);
      }
      if (snapshot.kind() == Kind.COMMITTED) {
        List<CommittedLayer> chain = new ArrayList<>(below);
        chain.add(layer(snapshot));
        chains.put(snapshot.key(), chain);
      } else {
        stoodOn.add(below);
      }
    }
    Set<LazyRun> mounted = new HashSet<>();
    for (List<CommittedLayer> chain : stoodOn) {
      for (Lower lower : lowers(chain)) {
        if (lower instanceof Lower.Run(LazyRun run)) {
          mounted.add(run);
        }
      }
    }
    return new LazyLayers.Needed(committed, mounted);
  }
}
