package sluice.command;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import sluice.api.control.CacheUsage;
import sluice.api.control.LazyImage;
import sluice.api.control.RootfsMount;
import sluice.api.control.StatusResponse;
import sluice.cache.CacheReport;
import sluice.snapshotter.image.ImageLibrary;
import sluice.snapshotter.metrics.Meters;
import sluice.snapshotter.service.ControlService.StatusPart;
import sluice.snapshotter.state.LazyLayer;
import sluice.snapshotter.state.Snapshot;

/** Tells of a daemon what lies outside the state machine: images, mounts, cache and figures. */
record DaemonStatus(NodeStock stock, Meters meters) implements StatusPart {

  @Override
  public void addTo(StatusResponse.Builder status) throws IOException {
    CacheReport report = stock.engine().cache().report();
    status.setCache(
        CacheUsage.newBuilder()
            .setDevices(report.devices().size())
            .setOccupiedBytes(
                report.devices().stream().mapToLong(CacheReport.Entry::occupiedBytes).sum())
            .setFetchedBytes(meters.fetchedBytes())
            .setServedBytes(meters.servedBytes()));
    status.putAllErrorCounts(meters.failureCounts());
    for (ImageLibrary.RunState run : stock.images().runs()) {
      status.addMounts(
          RootfsMount.newBuilder()
              .setChainId(run.chainId().toString())
              .setDirectory(run.directory())
              .setDriver(run.driver())
              .setProblem(run.problem()));
    }
    addImages(status, report);
  }

  private void addImages(StatusResponse.Builder status, CacheReport report) throws IOException {
    List<Snapshot> snapshots = stock.store().all();
    LayerDevices devices = LayerDevices.of(snapshots, stock.images(), report);
    Map<String, LazyImage.Builder> byImage = new LinkedHashMap<>();
    for (Snapshot snapshot : snapshots) {
      LazyLayer lazy = snapshot.lazy();
      if (lazy != null) {
        byImage
            .computeIfAbsent(
                lazy.image() + " " + lazy.manifest(),
                key ->
                    LazyImage.newBuilder()
                        .setReference(lazy.image())
                        .setManifest(lazy.manifest().toString()))
            .addLayers(layer(lazy, LayerDevices.occupiedBytes(devices.of(lazy), report)));
      }
    }
    byImage.values().forEach(status::addImages);
  }

  private sluice.api.control.LazyLayer layer(LazyLayer lazy, long cachedBytes) {
    return sluice.api.control.LazyLayer.newBuilder()
        .setDigest(lazy.layer().digest().toString())
        .setChainId(lazy.chainId().toString())
        .setFormat(lazy.format())
        .setBlobBytes(lazy.layer().sizeBytes())
        .setCachedBytes(cachedBytes)
        .setStreamed(stock.images().isStreamed(lazy))
        .setReason(stock.images().whyStreamed(lazy).orElse(""))
        .build();
  }
}
