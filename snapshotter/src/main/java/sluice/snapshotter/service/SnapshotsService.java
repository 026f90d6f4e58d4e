package sluice.snapshotter.service;

import com.google.protobuf.Empty;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import sluice.api.containerd.snapshots.CleanupRequest;
import sluice.api.containerd.snapshots.CommitSnapshotRequest;
import sluice.api.containerd.snapshots.Info;
import sluice.api.containerd.snapshots.ListSnapshotsRequest;
import sluice.api.containerd.snapshots.ListSnapshotsResponse;
import sluice.api.containerd.snapshots.MountsRequest;
import sluice.api.containerd.snapshots.MountsResponse;
import sluice.api.containerd.snapshots.PrepareSnapshotRequest;
import sluice.api.containerd.snapshots.PrepareSnapshotResponse;
import sluice.api.containerd.snapshots.RemoveSnapshotRequest;
import sluice.api.containerd.snapshots.SnapshotsGrpc;
import sluice.api.containerd.snapshots.StatSnapshotRequest;
import sluice.api.containerd.snapshots.StatSnapshotResponse;
import sluice.api.containerd.snapshots.UpdateSnapshotRequest;
import sluice.api.containerd.snapshots.UpdateSnapshotResponse;
import sluice.api.containerd.snapshots.UsageRequest;
import sluice.api.containerd.snapshots.UsageResponse;
import sluice.api.containerd.snapshots.ViewSnapshotRequest;
import sluice.api.containerd.snapshots.ViewSnapshotResponse;
import sluice.snapshotter.state.Snapshot;
import sluice.snapshotter.state.SnapshotKey;
import sluice.snapshotter.state.Snapshotter;
import sluice.snapshotter.state.Usage;

/** {@code containerd.services.snapshots.v1.Snapshots}. */
public final class SnapshotsService extends SnapshotsGrpc.SnapshotsImplBase {

  /** As containerd's own server does: a message of a listing stays far below 16 MiB. */
  private static final int LIST_BLOCK = 100;

  private final Snapshotter snapshotter;

  public SnapshotsService(Snapshotter snapshotter) {
    this.snapshotter = snapshotter;
  }

  @Override
  public void prepare(
      PrepareSnapshotRequest request, StreamObserver<PrepareSnapshotResponse> replies) {
    Calls.unary(
        "Prepare",
        replies,
        () ->
            PrepareSnapshotResponse.newBuilder()
                .addAllMounts(
                    Convert.mounts(
                        snapshotter.prepare(
                            key(request.getSnapshotter(), request.getKey()),
                            request.getParent(),
                            request.getLabelsMap(),
                            NamespaceHeader.of(request.getKey()))))
                .build());
  }

  @Override
  public void view(ViewSnapshotRequest request, StreamObserver<ViewSnapshotResponse> replies) {
    Calls.unary(
        "View",
        replies,
        () ->
            ViewSnapshotResponse.newBuilder()
                .addAllMounts(
                    Convert.mounts(
                        snapshotter.view(
                            key(request.getSnapshotter(), request.getKey()),
                            request.getParent(),
                            request.getLabelsMap())))
                .build());
  }

  @Override
  public void mounts(MountsRequest request, StreamObserver<MountsResponse> replies) {
    Calls.unary(
        "Mounts",
        replies,
        () ->
            MountsResponse.newBuilder()
                .addAllMounts(
                    Convert.mounts(
                        snapshotter.mounts(key(request.getSnapshotter(), request.getKey()))))
                .build());
  }

  @Override
  public void commit(CommitSnapshotRequest request, StreamObserver<Empty> replies) {
    Calls.unary(
        "Commit",
        replies,
        () -> {
          snapshotter.commit(
              key(request.getSnapshotter(), request.getKey()),
              request.getName(),
              request.getParent(),
              request.getLabelsMap());
          return Empty.getDefaultInstance();
        });
  }

  @Override
  public void remove(RemoveSnapshotRequest request, StreamObserver<Empty> replies) {
    Calls.unary(
        "Remove",
        replies,
        () -> {
          snapshotter.remove(key(request.getSnapshotter(), request.getKey()));
          return Empty.getDefaultInstance();
        });
  }

  @Override
  public void stat(StatSnapshotRequest request, StreamObserver<StatSnapshotResponse> replies) {
    Calls.unary(
        "Stat",
        replies,
        () ->
            StatSnapshotResponse.newBuilder()
                .setInfo(
                    Convert.info(snapshotter.stat(key(request.getSnapshotter(), request.getKey()))))
                .build());
  }

  @Override
  public void update(
      UpdateSnapshotRequest request, StreamObserver<UpdateSnapshotResponse> replies) {
    Calls.unary(
        "Update",
        replies,
        () ->
            UpdateSnapshotResponse.newBuilder()
                .setInfo(
                    Convert.info(
                        snapshotter.update(
                            key(request.getSnapshotter(), request.getInfo().getName()),
                            request.getInfo().getLabelsMap(),
                            request.getUpdateMask().getPathsList())))
                .build());
  }

  @Override
  public void list(ListSnapshotsRequest request, StreamObserver<ListSnapshotsResponse> replies) {
    try {
      List<Snapshot> found = snapshotter.list(request.getSnapshotter(), request.getFiltersList());
      new Listing(found.iterator(), (ServerCallStreamObserver<ListSnapshotsResponse>) replies)
          .begin();
    } catch (IOException | RuntimeException e) {
      replies.onError(Calls.failed("List", e));
    }
  }

  @Override
  public void usage(UsageRequest request, StreamObserver<UsageResponse> replies) {
    Calls.unary(
        "Usage",
        replies,
        () -> {
          Usage usage = snapshotter.usage(key(request.getSnapshotter(), request.getKey()));
          return UsageResponse.newBuilder()
              .setSize(usage.sizeBytes())
              .setInodes(usage.inodes())
              .build();
        });
  }

  @Override
  public void cleanup(CleanupRequest request, StreamObserver<Empty> replies) {
    Calls.unary(
        "Cleanup",
        replies,
        () -> {
          snapshotter.cleanup();
          return Empty.getDefaultInstance();
        });
  }

  private static SnapshotKey key(String snapshotter, String name) {
    return new SnapshotKey(snapshotter, name);
  }

  /** Sends a listing block by block, each when the caller has room for it. */
  private static final class Listing {
    private final Iterator<Snapshot> rest;
    private final ServerCallStreamObserver<ListSnapshotsResponse> replies;
    private boolean complete;

    Listing(Iterator<Snapshot> rest, ServerCallStreamObserver<ListSnapshotsResponse> replies) {
      this.rest = rest;
      this.replies = replies;
    }

    void begin() {
      replies.setOnReadyHandler(this::proceed);
      proceed();
    }

    private synchronized void proceed() {
      while (rest.hasNext() && replies.isReady() && !replies.isCancelled()) {
        List<Info> block = new ArrayList<>(LIST_BLOCK);
        while (rest.hasNext() && block.size() < LIST_BLOCK) {
          block.add(Convert.info(rest.next()));
        }
        replies.onNext(ListSnapshotsResponse.newBuilder().addAllInfo(block).build());
      }
      if (!rest.hasNext() && !complete) {
        complete = true;
        replies.onCompleted();
      }
    }
  }
}
