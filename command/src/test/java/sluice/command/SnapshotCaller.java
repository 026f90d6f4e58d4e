package sluice.command;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import sluice.api.containerd.snapshots.Info;
import sluice.api.containerd.snapshots.ListSnapshotsRequest;
import sluice.api.containerd.snapshots.MountsRequest;
import sluice.api.containerd.snapshots.PrepareSnapshotRequest;
import sluice.api.containerd.snapshots.RemoveSnapshotRequest;
import sluice.api.containerd.snapshots.SnapshotsGrpc;
import sluice.api.containerd.types.Mount;
import sluice.core.ChainId;
import sluice.core.Digest;
import sluice.snapshotter.containerd.SocketChannel;
import sluice.testing.Fixtures;

/** Asks a daemon for what containerd would, and mounts what it answers. */
final class SnapshotCaller implements Closeable {

  private static final String SNAPSHOTTER = "sluice";
  private static final String REF = "containerd.io/snapshot.ref";
  private static final String CRI = "containerd.io/snapshot/cri.";

  private final SocketChannel channel;
  private final String snapshotter;

  private SnapshotCaller(SocketChannel channel, String snapshotter) {
    this.channel = channel;
    this.snapshotter = snapshotter;
  }

  static SnapshotCaller to(Path socket) {
    return to(socket, SNAPSHOTTER);
  }

  /** As a containerd that knows the daemon by another name, and so has snapshots of its own. */
  static SnapshotCaller to(Path socket, String snapshotter) {
    return new SnapshotCaller(SocketChannel.to(socket), snapshotter);
  }

  /**
   * Pulls an image as containerd does with remote snapshots, and prepares a container on it.
   *
   * @return the container's mounts
   */
  List<Mount> container(String key, Fixtures image, String tag, String reference) {
    List<Digest> chainIds = ChainId.ofAll(image.diffIds(tag));
    String parent = "";
    for (int layer = 0; layer < chainIds.size(); layer++) {
      Digest chainId = chainIds.get(layer);
      Map<String, String> labels = labels(image, tag, reference, layer);
      parent = lazyLayer("extract " + key + layer, parent, chainId, labels);
    }
    return prepare(key, parent, Map.of());
  }

  /**
   * Asks for the lowest layer of an image, which the daemon cannot have lazily, and gives it up, as
   * containerd does if it can't fetch it either.
   *
   * @return where containerd would unpack it
   */
  List<Mount> ordinaryLayer(String key, Fixtures image, String tag, String reference) {
    String extract = "extract " + key;
    List<Mount> mounts = prepare(extract, "", labels(image, tag, reference, 0));
    var _ =
        stub()
            .remove(
                RemoveSnapshotRequest.newBuilder()
                    .setSnapshotter(SNAPSHOTTER)
                    .setKey(extract)
                    .build());
    return mounts;
  }

  private static Map<String, String> labels(
      Fixtures image, String tag, String reference, int layer) {
    return Map.of(
        REF,
        ChainId.ofAll(image.diffIds(tag)).get(layer).toString(),
        CRI + "image-ref",
        reference,
        CRI + "manifest-digest",
        image.descriptor(tag).digest().toString(),
        CRI + "layer-digest",
        image.document(tag).layers().get(layer).digest().toString());
  }

  /** The mounts of a container that was prepared before. */
  List<Mount> mounts(String key) {
    return stub()
        .mounts(MountsRequest.newBuilder().setSnapshotter(snapshotter).setKey(key).build())
        .getMountsList();
  }

  /** Removes all snapshots, and leaves what they stood on to a clean-up. */
  void removeAll() {
    List<Info> left = list(List.of());
    while (!left.isEmpty()) {
      Set<String> parents = left.stream().map(Info::getParent).collect(Collectors.toSet());
      for (Info snapshot : left) {
        if (!parents.contains(snapshot.getName())) {
          var _ =
              stub()
                  .remove(
                      RemoveSnapshotRequest.newBuilder()
                          .setSnapshotter(snapshotter)
                          .setKey(snapshot.getName())
                          .build());
        }
      }
      left = list(List.of());
    }
  }

  /** Mounts an overlay, as containerd does, onto a directory that is made. */
  static Path mount(List<Mount> mounts, Path target) throws IOException, InterruptedException {
    if (mounts.size() != 1 || !mounts.getFirst().getType().equals("overlay")) {
      throw new AssertionError("one overlay expected, found " + mounts);
    }
    Files.createDirectories(target);
    String options = String.join(",", mounts.getFirst().getOptionsList());
    Shell.run("mount", "-t", "overlay", "overlay", "-o", options, target.toString()).done();
    return target;
  }

  @Override
  public void close() {
    channel.close();
  }

  private SnapshotsGrpc.SnapshotsBlockingStub stub() {
    return SnapshotsGrpc.newBlockingStub(channel.channel())
        .withWaitForReady()
        .withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  private String lazyLayer(String key, String parent, Digest chainId, Map<String, String> labels) {
    try {
      throw new AssertionError("not lazy: " + prepare(key, parent, labels));
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() != Status.Code.ALREADY_EXISTS) {
        throw e;
      }
    }
    List<Info> found =
        list(List.of("labels.\"%s\"==%s,parent==\"%s\"".formatted(REF, chainId, parent)));
    if (found.size() != 1) {
      throw new AssertionError("one committed snapshot expected: " + found);
    }
    return found.getFirst().getName();
  }

  private List<Info> list(List<String> filters) {
    List<Info> found = new ArrayList<>();
    stub()
        .list(
            ListSnapshotsRequest.newBuilder()
                .setSnapshotter(snapshotter)
                .addAllFilters(filters)
                .build())
        .forEachRemaining(block -> found.addAll(block.getInfoList()));
    return found;
  }

  private List<Mount> prepare(String key, String parent, Map<String, String> labels) {
    return stub()
        .prepare(
            PrepareSnapshotRequest.newBuilder()
                .setSnapshotter(snapshotter)
                .setKey(key)
                .setParent(parent)
                .putAllLabels(labels)
                .build())
        .getMountsList();
  }
}
