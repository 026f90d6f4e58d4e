package sluice.snapshotter.pull;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.snapshotter.containerd.Containerd;
import sluice.snapshotter.containerd.ContainerdException;
import sluice.snapshotter.containerd.ContainerdSnapshots;
import sluice.snapshotter.containerd.ContainerdSnapshots.Prepared;
import sluice.snapshotter.image.ResolvedImage;

/** The layers of one pull, lowest first. */
final class LayerPull {

  /** As often as containerd's unpacker tries, should a snapshot vanish after it was prepared. */
  private static final int ATTEMPTS = 3;

  /** Of the uncompressed layer, where containerd looks for it on the compressed one. */
  private static final String UNCOMPRESSED = "containerd.io/uncompressed";

  private final ResolvedImage image;
  private final Containerd.Lease lease;
  private final ContainerdSnapshots snapshots;
  private final RangeSource blobs;
  private final PullListener listener;
  private final List<Digest> chainIds;

  LayerPull(
      ResolvedImage image,
      Containerd.Lease lease,
      String snapshotter,
      RangeSource blobs,
      PullListener listener) {
    this.image = image;
    this.lease = lease;
    this.snapshots = lease.snapshots(snapshotter);
    this.blobs = blobs;
    this.listener = listener;
    this.chainIds = image.image().chainIds();
  }

  /** Has the snapshotter make the layer at {@code position}, or containerd unpack it. */
  PulledLayer pull(int position) throws IOException, InterruptedException {
    Descriptor descriptor = image.image().manifest().layers().get(position);
    PulledLayer.Name layer = new PulledLayer.Name(position + 1, descriptor, chainIds.get(position));
    listener.asked(layer);
    PulledLayer pulled = new PulledLayer(layer, state(layer));
    listener.done(pulled);
    return pulled;
  }

  private PulledLayer.State state(PulledLayer.Name layer) throws IOException, InterruptedException {
    String parent = layer.number() == 1 ? "" : chainIds.get(layer.number() - 2).toString();
    Map<String, String> labels = LayerLabels.of(image, layer);
    String name = layer.chainId().toString();
    boolean known = snapshots.exists(name);
    for (int i = 0; i < ATTEMPTS; i++) {
      // What is known is prepared too: that puts it under the lease.
      switch (prepare(layer, parent, labels)) {
        case Prepared.AlreadyThere() -> {
          if (snapshots.exists(name)) {
            return known ? PulledLayer.State.KNOWN : PulledLayer.State.LAZY;
          }
        }
        case Prepared.ToBeUnpacked active -> {
          unpack(layer, active, labels);
          return PulledLayer.State.UNPACKED;
        }
      }
    }
    throw new IOException(
        "%s: the snapshotter says that it has it, but containerd finds no snapshot %s"
            .formatted(title(layer), name));
  }

  private Prepared prepare(PulledLayer.Name layer, String parent, Map<String, String> labels)
      throws IOException, InterruptedException {
    try {
      return snapshots.prepare(activeKey(layer.chainId()), parent, labels);
    } catch (ContainerdException e) {
      if (e.reason() == ContainerdException.Reason.UNREACHABLE) {
        throw new IOException(
            "%s: containerd does not reach the snapshotter; is it running? (%s)"
                .formatted(title(layer), e.getMessage()),
            e);
      }
      throw e;
    }
  }

  /** The form that containerd's unpacker gives to its keys (snapshots.UnpackKeyFormat). */
  private static String activeKey(Digest chainId) {
    int random = ThreadLocalRandom.current().nextInt();
    return "extract-%d-%s %s"
        .formatted(System.nanoTime(), HexFormat.of().toHexDigits(random), chainId);
  }

  /** Fetches the layer into the content store, and has it unpacked. */
  private void unpack(
      PulledLayer.Name layer, Prepared.ToBeUnpacked active, Map<String, String> labels)
      throws IOException, InterruptedException {
    try {
      Digest diffId = image.image().config().diffIds().get(layer.number() - 1);
      Descriptor descriptor = layer.descriptor();
      lease.content().write(descriptor, () -> open(layer), Map.of());
      Descriptor applied = apply(layer, active);
      if (!applied.digest().equals(diffId)) {
        throw new CorruptException(
            "unpacked, it has digest %s; the configuration says diff ID %s"
                .formatted(applied.digest(), diffId),
            title(layer),
            -1);
      }
      lease.content().label(descriptor.digest(), Map.of(UNCOMPRESSED, diffId.toString()));
      commit(layer, active, labels);
    } catch (IOException | InterruptedException e) {
      remove(active, e);
      throw e;
    }
  }

  private Descriptor apply(PulledLayer.Name layer, Prepared.ToBeUnpacked active)
      throws IOException, InterruptedException {
    try {
      return lease.diff().apply(layer.descriptor(), active.mounts());
    } catch (ContainerdException e) {
      throw new NotUnpackedException(
          "%s is not lazy, and was not unpacked: %s".formatted(title(layer), e.getMessage()),
          layer.chainId().toString(),
          e);
    }
  }

  private InputStream open(PulledLayer.Name layer) throws IOException, InterruptedException {
    return new Counted(
        blobs.open(layer.descriptor().digest(), image.holders(), Lane.DEMAND), layer);
  }

  private void commit(
      PulledLayer.Name layer, Prepared.ToBeUnpacked active, Map<String, String> labels)
      throws IOException, InterruptedException {
    try {
      snapshots.commit(layer.chainId().toString(), active.key(), labels);
    } catch (ContainerdException e) {
      if (e.reason() != ContainerdException.Reason.ALREADY_EXISTS) {
        throw e;
      }
      // Another pull unpacked the same layer, and was faster.
      snapshots.remove(active.key());
    }
  }

  private void remove(Prepared.ToBeUnpacked active, Exception reason) {
    try {
      snapshots.remove(active.key());
    } catch (IOException e) {
      reason.addSuppressed(e);
    } catch (InterruptedException e) {
      reason.addSuppressed(e);
      Thread.currentThread().interrupt();
    }
  }

  private String title(PulledLayer.Name layer) {
    return "layer %d of %d of %s (%s)"
        .formatted(layer.number(), chainIds.size(), image.reference(), layer.descriptor().digest());
  }

  /** Tells the listener what is read. */
  private final class Counted extends FilterInputStream {
    private final PulledLayer.Name layer;

    Counted(InputStream in, PulledLayer.Name layer) {
      super(in);
      this.layer = layer;
    }

    @Override
    public int read() throws IOException {
      int value = super.read();
      if (value >= 0) {
        listener.received(layer, 1);
      }
      return value;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int read = super.read(into, offset, length);
      if (read > 0) {
        listener.received(layer, read);
      }
      return read;
    }
  }
}
