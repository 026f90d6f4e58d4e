package sluice.snapshotter.check;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.Fidelity;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.IndexTrust;
import sluice.core.Lane;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.LayerIndex;
import sluice.core.LazyDevice;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.erofs.MetadataImage;
import sluice.snapshotter.image.KeptLayer;

/**
 * Streams a layer that is served from an index, verifies layer digest and diff ID, and compares its
 * tree and its files with what the index shows. Safe for use by many threads.
 */
public final class LayerCheck {

  private final LayerFormat streaming;
  private final RangeSource source;
  private final DeviceStore devices;
  private final Path work;

  /**
   * @param streaming the format that makes a tree of every layer by streaming it
   * @param source gives the layers' blobs
   * @param devices holds what the index's tree points into
   * @param work a directory of this check's own, for what is streamed
   */
  public LayerCheck(LayerFormat streaming, RangeSource source, DeviceStore devices, Path work) {
    this.streaming = streaming;
    this.source = source;
    this.devices = devices;
    this.work = work;
  }

  /**
   * Compares.
   *
   * @return how the index lies, in a sentence; empty if it does not
   * @throws IOException if that could not be found out: the layer cannot be had, or not be kept
   *     while it is compared
   */
  public Optional<String> lie(KeptLayer layer, KeptLayer.Claim claim, Fidelity fidelity)
      throws IOException, InterruptedException {
    Files.createDirectories(work);
    Path tree = Files.createTempFile(work, "tree", ".erofs");
    Files.delete(tree);
    Path scratch = Files.createTempDirectory(work, "devices");
    try (ScratchDevices streamed = new ScratchDevices(scratch)) {
      return compare(layer, stream(layer, claim, tree, streamed), streamed, fidelity);
    } catch (CorruptException e) {
      if (isTheLayer(claim, layer.key().layer())) {
        return Optional.of(String.valueOf(e.getMessage()));
      }
      throw new IOException("the registry gave other bytes: " + e.getMessage(), e);
    } finally {
      Files.deleteIfExists(tree);
      Files.delete(scratch);
    }
  }

  private LayerIndex stream(
      KeptLayer layer, KeptLayer.Claim claim, Path tree, ScratchDevices streamed)
      throws IOException, InterruptedException {
    Repository holder = claim.holders().iterator().next();
    ImageDocument.Manifest alone =
        new ImageDocument.Manifest(claim.layer(), List.of(claim.layer()), Map.of(), null, null);
    LayerFormat.Layer whole =
        new LayerFormat.Layer(
            new LayerFormat.Image(
                new ImageReference(holder, null, claim.layer().digest()),
                claim.layer().digest(),
                alone),
            0,
            layer.diffId(),
            claim.holders());
    if (!(streaming.recognise(whole, IndexTrust.PINNED)
        instanceof Recognition.Tree(LayerFormat.Indexer indexer, var _))) {
      throw new IOException(
          "a layer of media type %s cannot be streamed".formatted(claim.layer().mediaType()));
    }
    return indexer.index(tree, streamed);
  }

  private Optional<String> compare(
      KeptLayer layer, LayerIndex index, ScratchDevices streamed, Fidelity fidelity)
      throws IOException, InterruptedException {
    try (MetadataImage shown = MetadataImage.open(layer.metadataImage());
        MetadataImage held = MetadataImage.open(index.metadataImage());
        DeviceReader shownFiles = DeviceReader.open(shown, opened(devices, layer.devices()));
        DeviceReader heldFiles = DeviceReader.open(held, opened(streamed, index.devices()))) {
      return new TreeComparison(
              new TreeComparison.Side(shown, shownFiles),
              new TreeComparison.Side(held, heldFiles),
              fidelity)
          .difference();
    }
  }

  private static List<LazyDevice> opened(DeviceStore store, List<DeviceId> ids) throws IOException {
    List<LazyDevice> opened = new ArrayList<>();
    for (DeviceId id : ids) {
      opened.add(store.open(id));
    }
    return opened;
  }

  /** Whether the registry gives the layer at all: only then its content is to blame. */
  private boolean isTheLayer(KeptLayer.Claim claim, Digest digest)
      throws IOException, InterruptedException {
    MessageDigest hash = Digest.hasher(digest.algorithm());
    try (InputStream blob = source.open(digest, claim.holders(), Lane.FILL);
        DigestInputStream hashed = new DigestInputStream(blob, hash)) {
      hashed.transferTo(OutputStream.nullOutputStream());
    }
    return digest.matches(hash.digest());
  }
}
