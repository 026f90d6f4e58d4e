package sluice.snapshotter.service;

import com.google.protobuf.Duration;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import sluice.api.control.ControlGrpc;
import sluice.api.control.Fallback;
import sluice.api.control.SnapshotCounts;
import sluice.api.control.StatusRequest;
import sluice.api.control.StatusResponse;
import sluice.snapshotter.state.Fallbacks;
import sluice.snapshotter.state.Snapshotter;

/** {@code sluice.control.v1.Control}: what the {@code sluice} command asks the daemon. */
public final class ControlService extends ControlGrpc.ControlImplBase {

  private final Daemon daemon;
  private final Snapshotter snapshotter;
  private final Fallbacks fallbacks;
  private final List<StatusPart> parts;

  /**
   * What does not change while the daemon runs.
   *
   * @param root its root directory
   */
  public record Daemon(String version, Path root, Instant startedAt) {}

  /** Tells what another part of the daemon knows of itself. */
  @FunctionalInterface
  public interface StatusPart {
    void addTo(StatusResponse.Builder status) throws IOException;
  }

  public ControlService(
      Daemon daemon, Snapshotter snapshotter, Fallbacks fallbacks, List<StatusPart> parts) {
    this.daemon = daemon;
    this.snapshotter = snapshotter;
    this.fallbacks = fallbacks;
    this.parts = List.copyOf(parts);
  }

  @Override
  public void status(StatusRequest request, StreamObserver<StatusResponse> replies) {
    Calls.unary("Status", replies, this::status);
  }

  private StatusResponse status() throws IOException {
    StatusResponse.Builder status =
        StatusResponse.newBuilder()
            .setVersion(daemon.version())
            .setRoot(daemon.root().toString())
            .setStartedAt(Convert.timestamp(daemon.startedAt()))
            .setSnapshots(counts());
    for (Fallbacks.Entry entry : fallbacks.latest()) {
      status.addFallbacks(fallback(entry));
    }
    fallbacks.counts().forEach((kind, count) -> status.putFallbackCounts(kind.label(), count));
    for (StatusPart part : parts) {
      part.addTo(status);
    }
    return status.build();
  }

  private SnapshotCounts counts() throws IOException {
    sluice.snapshotter.state.SnapshotCounts counts = snapshotter.counts();
    return SnapshotCounts.newBuilder()
        .setActive(counts.active())
        .setViews(counts.views())
        .setCommittedLocal(counts.committedLocal())
        .setCommittedLazy(counts.committedLazy())
        .build();
  }

  private static Fallback fallback(Fallbacks.Entry entry) {
    String image = entry.image();
    return Fallback.newBuilder()
        .setAt(Convert.timestamp(entry.at()))
        .setImage(image == null ? "" : image)
        .setChainId(entry.chainId())
        .setKind(entry.kind().label())
        .setReason(entry.reason())
        .setTriedFor(
            Duration.newBuilder()
                .setSeconds(entry.triedFor().toSeconds())
                .setNanos(entry.triedFor().toNanosPart()))
        .build();
  }
}
