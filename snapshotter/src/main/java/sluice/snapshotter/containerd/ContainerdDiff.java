package sluice.snapshotter.containerd;

import io.grpc.Channel;
import java.io.IOException;
import java.util.List;
import sluice.api.containerd.diff.ApplyRequest;
import sluice.api.containerd.diff.DiffGrpc;
import sluice.api.containerd.types.Mount;
import sluice.core.Descriptor;

/** containerd's differ: unpacks layers of its content store into snapshots. */
public final class ContainerdDiff {

  private final Channel channel;

  ContainerdDiff(Channel channel) {
    this.channel = channel;
  }

  /**
   * Unpacks a layer onto the mounts of an active snapshot. Waits as long as that takes.
   *
   * @param layer content of the store
   * @return what was unpacked: its digest is the layer's diff ID
   * @throws ContainerdException for example if containerd has no way to unpack such a media type
   */
  public Descriptor apply(Descriptor layer, List<Mount> mounts)
      throws IOException, InterruptedException {
    ApplyRequest request =
        ApplyRequest.newBuilder().setDiff(Descriptors.message(layer)).addAllMounts(mounts).build();
    return Descriptors.of(
        Containerd.call(
            "unpack layer " + layer.digest(),
            () -> DiffGrpc.newBlockingStub(channel).apply(request).getApplied()));
  }
}
