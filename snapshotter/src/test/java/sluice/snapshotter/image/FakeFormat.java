package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import sluice.core.ByteRange;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.DeviceId;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.IndexOrigin;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerIndex;

/**
 * A format whose layers say by their media type what they are: {@code NAME/tree}, {@code
 * NAME/stream}, {@code NAME/image}, {@code NAME/data}, {@code NAME/refused}. The one named {@code
 * fake} streams uncompressed tars, too.
 */
final class FakeFormat implements LayerFormat {

  static final String TAR = "application/vnd.oci.image.layer.v1.tar";

  private static final IndexOrigin ORIGIN = IndexOrigin.ofLayer("a fake", -1);

  final AtomicInteger indexed = new AtomicInteger();
  final AtomicInteger running = new AtomicInteger();
  final AtomicInteger mostRunning = new AtomicInteger();
  private final String name;
  private volatile @Nullable CountDownLatch gate;
  private volatile @Nullable IOException failure;

  FakeFormat(String name) {
    this.name = name;
  }

  /** Makes every index wait until the result is counted down. */
  CountDownLatch hold() {
    CountDownLatch latch = new CountDownLatch(1);
    gate = latch;
    return latch;
  }

  /** Makes every index fail from now on; null mends it. */
  void fail(@Nullable IOException with) {
    failure = with;
  }

  @Override
  public String name() {
    return name;
  }

  /** An artifact type marks variants, as {@code NAME/variant}. */
  @Override
  public boolean isVariant(Descriptor manifest) {
    return variantType().equals(manifest.artifactType());
  }

  String variantType() {
    return name + "/variant";
  }

  @Override
  public Optional<ImagePart> imagePart(Descriptor layer) {
    String type = layer.mediaType();
    return type.equals(name + "/image")
        ? Optional.of(ImagePart.TREE)
        : type.equals(name + "/data") ? Optional.of(ImagePart.DATA) : Optional.empty();
  }

  @Override
  public Recognition recognise(Layer layer, IndexTrust trust) {
    String type = layer.descriptor().mediaType();
    if (type.equals(TAR) && name.equals("fake")) {
      return new Recognition.Tree(new Maker(layer, true), ORIGIN);
    }
    if (!type.startsWith(name + "/")) {
      return new Recognition.Foreign();
    }
    return switch (type.substring(name.length() + 1)) {
      case "tree" -> new Recognition.Tree(new Maker(layer, false), ORIGIN);
      case "stream" -> new Recognition.Tree(new Maker(layer, true), ORIGIN);
      case "image" -> new Recognition.ImageTree(new Maker(layer, false), ORIGIN);
      case "data" -> new Recognition.DataOnly();
      case "refused" -> new Recognition.Refused("it is of no use");
      default -> new Recognition.Foreign();
    };
  }

  private final class Maker implements Indexer {
    private final Layer layer;
    private final boolean streams;

    Maker(Layer layer, boolean streams) {
      this.layer = layer;
      this.streams = streams;
    }

    @Override
    public boolean streams() {
      return streams;
    }

    @Override
    public LayerIndex index(Path metadataImage, DeviceStore devices)
        throws IOException, InterruptedException {
      mostRunning.accumulateAndGet(running.incrementAndGet(), Math::max);
      try {
        CountDownLatch latch = gate;
        if (latch != null) {
          latch.await();
        }
        IOException failing = failure;
        if (failing != null) {
          throw failing;
        }
        return write(metadataImage, devices);
      } finally {
        running.decrementAndGet();
      }
    }

    private LayerIndex write(Path metadataImage, DeviceStore devices) throws IOException {
      Digest blob = layer.descriptor().digest();
      if (!FakeRegistry.diffId(layer.descriptor()).equals(layer.diffId())) {
        throw new CorruptException("diff ID " + layer.diffId(), "layer " + blob, -1);
      }
      DeviceId device = devices.add(new DeviceIndex(blob, 4096, List.of()), layer.holders()).id();
      FakeTrees.write(metadataImage, layer.descriptor(), device);
      indexed.incrementAndGet();
      return new LayerIndex(
          metadataImage,
          List.of(device),
          List.of(new LayerIndex.PrefetchHint(device, new ByteRange(0, 4096))));
    }
  }
}
