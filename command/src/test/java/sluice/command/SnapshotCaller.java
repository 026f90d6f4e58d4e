package sluice.command;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
import sluice.core.Descriptor;
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
    List<Digest> diffIds = image.diffIds(tag);
    List<Descriptor> layers = image.document(tag).layers();
    String parent = "";
    Digest chainId = diffIds.getFirst();
    for (int layer = 0; layer < layers.size(); layer++) {
      if (layer > 0) {
        String both = chainId + " " + diffIds.get(layer);
        chainId = Digest.sha256(both.getBytes(StandardCharsets.UTF_8));
      }
      Map<String, String> labels =
          Map.of(
              REF,
              chainId.toString(),
              CRI + "image-ref",
              reference,
              CRI + "manifest-digest",
              image.descriptor(tag).digest().toString(),
              CRI + "layer-digest",
              layers.get(layer).digest().toString());
      parent = lazyLayer("extract " + key + layer, parent, chainId, labels);
    }
    return prepare(key, parent, Map.of());
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
