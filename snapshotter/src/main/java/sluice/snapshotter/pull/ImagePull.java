package sluice.snapshotter.pull;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import sluice.core.Digest;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.Platform;
import sluice.core.RangeSource;
import sluice.snapshotter.containerd.Containerd;
import sluice.snapshotter.containerd.ContainerdSnapshots;
import sluice.snapshotter.image.ImageResolver;
import sluice.snapshotter.image.ResolvedImage;

/**
 * Pulls images into one namespace of containerd, for one of its snapshotters: the layers that the
 * snapshotter has, or can make, are neither fetched nor unpacked. Any number of pulls may run at
 * once, of the same image too.
 *
 * <p>Order matters. Everything happens under a lease, so that nothing is collected as garbage
 * before it is referred to. Manifest and configuration are stored before the first layer is
 * prepared, so that the snapshotter can read them there. The image is made last: whoever sees it
 * can run it.
 */
public final class ImagePull {

  /**
   * As long as containerd's own clients: a slow pull must not lose its layers while it runs, and
   * what a pull that died leaves behind is collected after that time.
   */
  private static final Duration LEASE_LIMIT = Duration.ofHours(24);

  private final Containerd containerd;
  private final String snapshotter;
  private final ImageRegistry registry;
  private final ImageResolver resolver;
  private final RangeSource blobs;
  private final PullListener listener;

  /**
   * @param containerd stays the caller's
   * @param snapshotter the name by which containerd knows it
   * @param resolver finds the image that is meant, by {@code registry}
   * @param blobs where layers that are not lazy are fetched
   */
  public ImagePull(
      Containerd containerd,
      String snapshotter,
      ImageRegistry registry,
      ImageResolver resolver,
      RangeSource blobs,
      PullListener listener) {
    this.containerd = containerd;
    this.snapshotter = snapshotter;
    this.registry = registry;
    this.resolver = resolver;
    this.blobs = blobs;
    this.listener = listener;
  }

  /**
   * Pulls an image; one that is there already is looked up again, and changed if its tag moved.
   *
   * @throws NotUnpackedException if a layer is neither lazy nor of a type that containerd unpacks
   * @throws IOException if containerd, its snapshotter or the registry fails; what was done until
   *     then is collected as garbage
   */
  public PulledImage pull(ImageReference reference, Platform platform)
      throws IOException, InterruptedException {
    containerd.check(snapshotter);
    ResolvedImage image = resolver.resolve(reference, platform);
    listener.resolved(image);
    try (Containerd.Lease lease = containerd.lease(LEASE_LIMIT)) {
      Documents documents = new Documents(registry, lease.content());
      documents.write(image);
      LayerPull layers = new LayerPull(image, lease, snapshotter, blobs, listener);
      List<PulledLayer> pulled = new ArrayList<>();
      for (int i = 0; i < image.image().layerCount(); i++) {
        pulled.add(layers.pull(i));
      }
      documents.keepSnapshots(image, snapshotter);
      String name = reference.toString();
      containerd.putImage(name, image.target().descriptor(), Map.of());
      verify(image, lease.snapshots(snapshotter));
      return new PulledImage(name, image.target().descriptor(), image.image().digest(), pulled);
    }
  }

  /**
   * A snapshot that was there before us has no lease of ours: it may have been collected with the
   * image that it belonged to, just before this image began to keep it.
   */
  private static void verify(ResolvedImage image, ContainerdSnapshots snapshots)
      throws IOException, InterruptedException {
    List<Digest> chain = image.image().chainIds();
    if (!chain.isEmpty() && !snapshots.exists(chain.getLast().toString())) {
      throw new IOException(
          "%s: snapshot %s was collected as garbage meanwhile; pull again"
              .formatted(image.reference(), chain.getLast()));
    }
  }
}
