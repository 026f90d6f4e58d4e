package sluice.command;

import com.google.protobuf.Timestamp;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import sluice.api.control.BadChunk;
import sluice.api.control.CacheCheck;
import sluice.api.control.CacheDevice;
import sluice.api.control.CacheUser;
import sluice.api.control.CheckedDevice;
import sluice.api.control.PruneCacheResponse;
import sluice.api.control.PrunedDevice;
import sluice.cache.CacheReport;
import sluice.cache.CheckReport;
import sluice.cache.ChunkCache;
import sluice.core.DeviceId;
import sluice.core.Digest;
import sluice.snapshotter.image.ImageLibrary;
import sluice.snapshotter.image.KeptLayer;
import sluice.snapshotter.image.LayerKey;
import sluice.snapshotter.image.LayerLibrary;
import sluice.snapshotter.service.CacheControl;
import sluice.snapshotter.state.LazyLayer;
import sluice.snapshotter.state.Snapshot;
import sluice.snapshotter.state.SnapshotStore;
import sluice.snapshotter.state.Snapshotter;

/** The chunk cache of a node that this process has open. */
final class NodeCache implements CacheControl {

  /** How much is hashed between two events: some ten a second. */
  private static final long STEP_BYTES = 64L << 20;

  private final SnapshotStore store;
  private final ImageLibrary images;
  private final LayerLibrary layers;
  private final ChunkCache cache;
  private final Snapshotter snapshotter;

  /**
   * @param snapshotter on the same stock
   */
  NodeCache(NodeStock stock, Snapshotter snapshotter) {
    this.store = stock.store();
    this.images = stock.images();
    this.layers = stock.engine().layers();
    this.cache = stock.engine().cache();
    this.snapshotter = snapshotter;
  }

  @Override
  public void list(Consumer<CacheDevice> devices) throws IOException {
    CacheReport report = cache.report();
    LayerDevices users = LayerDevices.of(store.all(), images, report);
    for (CacheReport.Entry entry : report.devices()) {
      devices.accept(device(entry, users));
    }
    for (CacheReport.Unreadable unreadable : report.unreadable()) {
      devices.accept(
          CacheDevice.newBuilder()
              .setId(unreadable.id().hex())
              .setProblem(unreadable.reason())
              .build());
    }
  }

  private static CacheDevice device(CacheReport.Entry entry, LayerDevices users) {
    CacheDevice.Builder device =
        CacheDevice.newBuilder()
            .setId(entry.id().hex())
            .setBlob(entry.blob().toString())
            .setDataBytes(entry.dataBytes())
            .setPresentBytes(entry.presentBytes())
            .setOccupiedBytes(entry.occupiedBytes())
            .setChunks(entry.chunks())
            .setPresentChunks(entry.presentChunks())
            .setLastUsed(timestamp(entry.lastUsed()));
    entry.holders().stream().map(Object::toString).sorted().forEach(device::addRepositories);
    Set<CacheUser> distinct = new LinkedHashSet<>();
    users
        .byLayer()
        .forEach((layer, its) -> {
          if (its.contains(entry.id())) {
            distinct.add(user(layer));
          }
        });
    return device.addAllUsers(distinct).build();
  }

  private static CacheUser user(LazyLayer layer) {
    return CacheUser.newBuilder()
        .setImage(layer.image())
        .setLayer(layer.layer().digest().toString())
        .build();
  }

  private static Timestamp timestamp(Instant at) {
    return Timestamp.newBuilder().setSeconds(at.getEpochSecond()).setNanos(at.getNano()).build();
  }

  @Override
  public void check(Consumer<CacheCheck> events) throws IOException, InterruptedException {
    CacheReport report = cache.report();
    long present = report.devices().stream().mapToLong(CacheReport.Entry::presentBytes).sum();
    events.accept(CacheCheck.newBuilder().setPresentBytes(present).build());
    for (CacheReport.Unreadable unreadable : report.unreadable()) {
      events.accept(problem(unreadable.id(), unreadable.reason()));
    }
    for (CacheReport.Entry entry : report.devices()) {
      Teller teller = new Teller(entry.id(), events);
      try {
        CheckReport found = cache.check(entry.id(), teller);
        teller.doneUpTo(entry.presentBytes());
        events.accept(checked(found));
      } catch (NoSuchFileException e) {
        // It was deleted meanwhile, with the image that it belonged to.
        teller.doneUpTo(entry.presentBytes());
      } catch (IOException e) {
        teller.doneUpTo(entry.presentBytes());
        events.accept(problem(entry.id(), String.valueOf(e.getMessage())));
      }
    }
  }

  private static CacheCheck checked(CheckReport found) {
    return CacheCheck.newBuilder()
        .setChecked(
            CheckedDevice.newBuilder()
                .setDevice(found.id().hex())
                .setSoundChunks(found.sound())
                .setUnverifiableChunks(found.unverifiable())
                .setBadChunks(found.bad().size()))
        .build();
  }

  private static CacheCheck problem(DeviceId device, String reason) {
    return CacheCheck.newBuilder()
        .setChecked(CheckedDevice.newBuilder().setDevice(device.hex()).setProblem(reason))
        .build();
  }

  @Override
  public PruneCacheResponse prune(boolean dryRun) throws IOException {
    CacheReport report = cache.report();
    Set<LayerKey> keys = layers.keys();
    Set<LayerKey> keysLeft;
    Set<DeviceId> devicesLeft;
    if (dryRun) {
      keysLeft = needed(keys);
      devicesLeft =
          keysLeft.stream()
              .flatMap(key -> layers.find(key).map(KeptLayer::devices).orElse(List.of()).stream())
              .collect(Collectors.toSet());
    } else {
      snapshotter.cleanup();
      keysLeft = layers.keys();
      devicesLeft =
          cache.report().devices().stream().map(CacheReport.Entry::id).collect(Collectors.toSet());
    }
    PruneCacheResponse.Builder pruned =
        PruneCacheResponse.newBuilder()
            .setLayers(keys.stream().filter(key -> !keysLeft.contains(key)).count());
    for (CacheReport.Entry entry : report.devices()) {
      if (!devicesLeft.contains(entry.id())) {
        pruned.addDevices(
            PrunedDevice.newBuilder()
                .setId(entry.id().hex())
                .setBlob(entry.blob().toString())
                .setOccupiedBytes(entry.occupiedBytes()));
      }
    }
    return pruned.build();
  }

  /** The layers that {@link Snapshotter#cleanup} leaves. */
  private Set<LayerKey> needed(Set<LayerKey> keys) throws IOException {
    Set<Digest> live = new HashSet<>();
    for (Snapshot snapshot : store.all()) {
      LazyLayer layer = snapshot.lazy();
      if (layer != null) {
        live.add(layer.layer().digest());
        images.kept(layer).ifPresent(kept -> live.add(kept.key().layer()));
      }
    }
    return keys.stream().filter(key -> live.contains(key.layer())).collect(Collectors.toSet());
  }

  /** Makes events of what a check of one device says. */
  private static final class Teller implements CheckReport.Listener {
    private final DeviceId device;
    private final Consumer<CacheCheck> events;
    private long toldBytes;
    private long hashedBytes;

    Teller(DeviceId device, Consumer<CacheCheck> events) {
      this.device = device;
      this.events = events;
    }

    @Override
    public void hashed(long lengthBytes) {
      hashedBytes += lengthBytes;
      if (hashedBytes - toldBytes >= STEP_BYTES) {
        doneUpTo(hashedBytes);
      }
    }

    @Override
    public void found(CheckReport.Bad bad) {
      events.accept(
          CacheCheck.newBuilder()
              .setBad(
                  BadChunk.newBuilder()
                      .setDevice(device.hex())
                      .setBlob(bad.blob().toString())
                      .setChunk(bad.number())
                      .setBlobOffset(bad.encoded().offset())
                      .setBlobLength(bad.encoded().length())
                      .setExpected(bad.expected().toString())
                      .setFound(bad.found().toString()))
              .build());
    }

    void doneUpTo(long bytes) {
      if (bytes > toldBytes) {
        events.accept(CacheCheck.newBuilder().setDoneBytes(bytes - toldBytes).build());
        toldBytes = bytes;
      }
    }
  }
}
