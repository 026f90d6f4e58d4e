package sluice.command;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import sluice.cache.CacheListener;
import sluice.cache.CacheSettings;
import sluice.cache.ChunkCache;
import sluice.cache.Failpoints;
import sluice.core.DeviceId;
import sluice.core.ImageReference;
import sluice.core.IndexOrigin;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerIndex;
import sluice.core.LazyDevice;
import sluice.core.Platform;
import sluice.core.StatementCheck;
import sluice.erofs.DeviceSlot;
import sluice.erofs.MetadataImage;
import sluice.erofs.MetadataImageMerge;
import sluice.formats.decode.EncodingDecoder;
import sluice.formats.rafs.RafsFormat;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseOptions;
import sluice.fuse.FuseSession;
import sluice.fuse.Transport;
import sluice.mount.FuseMounters;
import sluice.registry.FetchListener;
import sluice.registry.RegistryClient;
import sluice.registry.RegistryConfig;
import sluice.snapshotter.image.ImageManifest;
import sluice.snapshotter.image.ImageResolver;
import sluice.snapshotter.image.LocalContent;

/** A RAFS image, mounted lazily from where it was pushed. */
final class RafsMount implements Closeable {

  private final RegistryClient client;
  private final ChunkCache cache;
  private final FuseSession session;

  private RafsMount(RegistryClient client, ChunkCache cache, FuseSession session) {
    this.client = client;
    this.cache = cache;
    this.session = session;
  }

  /** Mounts an image; all files go into a new directory in {@code parent}. */
  static RafsMount of(ImageReference reference, Platform platform, Path parent)
      throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory(parent, "mount");
    RegistryClient client = RegistryClient.open(RegistryConfig.ofProcess(), FetchListener.NONE);
    try {
      ChunkCache cache =
          ChunkCache.open(
              directory.resolve("cache"),
              client,
              new EncodingDecoder(),
              StatementCheck.NONE,
              CacheSettings.defaults(),
              CacheListener.NONE,
              Failpoints.NONE);
      try {
        return new RafsMount(client, cache, mount(client, cache, reference, platform, directory));
      } catch (IOException | InterruptedException | RuntimeException e) {
        cache.close();
        throw e;
      }
    } catch (IOException | InterruptedException | RuntimeException e) {
      client.close();
      throw e;
    }
  }

  Path target() {
    return session.target();
  }

  private static FuseSession mount(
      RegistryClient client,
      ChunkCache cache,
      ImageReference reference,
      Platform platform,
      Path directory)
      throws IOException, InterruptedException {
    ImageManifest image =
        new ImageResolver(client, LocalContent.NONE, new RafsFormat(client)::isVariant)
            .resolve(reference, platform)
            .image();
    LayerFormat.Layer top =
        image.layer(image.layerCount() - 1, reference, Set.of(reference.repository()));
    if (!(new RafsFormat(client).recognise(top, IndexTrust.PINNED)
        instanceof LayerFormat.Recognition.ImageTree(LayerFormat.Indexer indexer, IndexOrigin _))) {
      throw new AssertionError(reference + " is not recognised as RAFS");
    }
    LayerIndex index = indexer.index(directory.resolve("tree.erofs"), cache);
    Path merged = directory.resolve("merged.erofs");
    MetadataImageMerge.merge(List.of(index.metadataImage()), merged);
    List<LazyDevice> devices = new ArrayList<>();
    try (MetadataImage tree = MetadataImage.open(merged)) {
      for (DeviceSlot slot : tree.devices()) {
        devices.add(cache.open(new DeviceId(slot.tag())));
      }
    }
    return FuseMounters.onDirectory(
        Transport.RAW,
        reference.toString(),
        merged,
        devices,
        Files.createDirectory(directory.resolve("target")),
        FuseOptions.forContainers(),
        FuseListener.NONE);
  }

  @Override
  public void close() throws IOException {
    try (client;
        cache) {
      session.close();
    }
  }
}
