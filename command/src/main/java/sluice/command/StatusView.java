package sluice.command;

import com.google.protobuf.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import sluice.api.control.CacheUsage;
import sluice.api.control.Fallback;
import sluice.api.control.LazyImage;
import sluice.api.control.LazyLayer;
import sluice.api.control.LyingIndex;
import sluice.api.control.RootfsMount;
import sluice.api.control.SnapshotCounts;
import sluice.api.control.StatusResponse;
import sluice.api.control.UndecidedLayer;
import sluice.snapshotter.image.LayerTally;

/**
 * A daemon's status, for people and for scripts.
 *
 * @param now when it was asked for
 */
record StatusView(StatusResponse status, Instant now) {

  /** The keys that scripts rely on; sizes in bytes. */
  Json json() {
    SnapshotCounts snapshots = status.getSnapshots();
    CacheUsage cache = status.getCache();
    return new Json()
        .with("version", status.getVersion())
        .with("root", status.getRoot())
        .with("startedAt", instant(status.getStartedAt()).toString())
        .with("uptimeSeconds", uptime().toSeconds())
        .with(
            "snapshots",
            new Json()
                .with("active", snapshots.getActive())
                .with("views", snapshots.getViews())
                .with("committedLocal", snapshots.getCommittedLocal())
                .with("committedLazy", snapshots.getCommittedLazy()))
        .with("images", status.getImagesList().stream().map(StatusView::image).toList())
        .with("mounts", status.getMountsList().stream().map(StatusView::mount).toList())
        .with("cacheDevices", cache.getDevices())
        .with("cacheBytes", cache.getOccupiedBytes())
        .with("fetchedBytes", cache.getFetchedBytes())
        .with("servedBytes", cache.getServedBytes())
        .with("fallbacks", status.getFallbacksList().stream().map(StatusView::fallback).toList())
        .with("fallbackCounts", new TreeMap<>(status.getFallbackCountsMap()))
        .with("errors", new TreeMap<>(status.getErrorCountsMap()))
        .with("lyingIndexes", status.getLyingIndexesList().stream().map(StatusView::lie).toList())
        .with(
            "undecidedLayers",
            status.getUndecidedLayersList().stream().map(StatusView::undecided).toList());
  }

  String text() {
    SnapshotCounts snapshots = status.getSnapshots();
    CacheUsage cache = status.getCache();
    StringJoiner lines = new StringJoiner(System.lineSeparator());
    lines.add("sluice     " + status.getVersion() + ", up " + text(uptime()));
    lines.add("root       " + status.getRoot());
    lines.add(
        "snapshots  %d active, %d views, %d committed lazy, %d committed local"
            .formatted(
                snapshots.getActive(),
                snapshots.getViews(),
                snapshots.getCommittedLazy(),
                snapshots.getCommittedLocal()));
    lines.add(
        "cache      %s in %d devices"
            .formatted(Sizes.text(cache.getOccupiedBytes()), cache.getDevices()));
    lines.add(
        "fetched    %s, served %s"
            .formatted(Sizes.text(cache.getFetchedBytes()), Sizes.text(cache.getServedBytes())));
    lines.add("errors     " + counts(status.getErrorCountsMap()));
    lines.add("fallbacks  " + counts(status.getFallbackCountsMap()));
    for (LazyImage image : status.getImagesList()) {
      lines.add(
          "image      %s: %d layers of %s, %s cached: %s"
              .formatted(
                  image.getReference(),
                  image.getLayersCount(),
                  Sizes.text(total(image, LazyLayer::getBlobBytes)),
                  Sizes.text(total(image, LazyLayer::getCachedBytes)),
                  tally(image)));
      streamed(image)
          .forEach((reason, layers) ->
              lines.add("streamed   %d of %s: %s".formatted(layers, image.getReference(), reason)));
    }
    for (RootfsMount mount : status.getMountsList()) {
      lines.add("mount      " + mount.getDirectory() + ": " + state(mount));
    }
    for (Fallback fallback : status.getFallbacksList()) {
      lines.add(
          "fallback   %s %s: %s"
              .formatted(instant(fallback.getAt()), fallback.getKind(), fallback.getReason()));
    }
    for (LyingIndex lie : status.getLyingIndexesList()) {
      lines.add(
          "lying      %s index of layer %s%s: %s"
              .formatted(
                  lie.getFormat(), lie.getLayer(), of(lie.getImagesList()), lie.getReason()));
    }
    for (UndecidedLayer layer : status.getUndecidedLayersList()) {
      lines.add(
          "undecided  %s index of layer %s%s: %s (%d tries, the next %s)"
              .formatted(
                  layer.getFormat(),
                  layer.getLayer(),
                  of(layer.getImagesList()),
                  layer.getReason(),
                  layer.getTries(),
                  layer.hasNextTry()
                      ? instant(layer.getNextTry())
                      : "when the daemon starts again"));
    }
    return lines.toString();
  }

  private static String of(List<String> images) {
    return images.isEmpty() ? "" : " of " + String.join(", ", images);
  }

  private Duration uptime() {
    Duration since = Duration.between(instant(status.getStartedAt()), now);
    return since.isNegative() ? Duration.ZERO : since;
  }

  private static String state(RootfsMount mount) {
    return mount.getProblem().isEmpty()
        ? "mounted by " + mount.getDriver()
        : "not mounted: " + mount.getProblem();
  }

  private static long total(LazyImage image, ToLongFunction<LazyLayer> bytes) {
    return image.getLayersList().stream().mapToLong(bytes).sum();
  }

  private static LayerTally tally(LazyImage image) {
    LayerTally tally = new LayerTally();
    image.getLayersList().forEach(layer -> tally.add(layer.getFormat(), layer.getStreamed()));
    return tally;
  }

  /** How many layers were streamed for each reason that is known. */
  private static Map<String, Long> streamed(LazyImage image) {
    return image.getLayersList().stream()
        .map(LazyLayer::getReason)
        .filter(reason -> !reason.isEmpty())
        .collect(Collectors.groupingBy(reason -> reason, TreeMap::new, Collectors.counting()));
  }

  private static Map<String, Object> image(LazyImage image) {
    List<Map<String, Object>> layers =
        image.getLayersList().stream()
            .map(layer ->
                new Json()
                    .with("digest", layer.getDigest())
                    .with("chainId", layer.getChainId())
                    .with("format", layer.getFormat())
                    .with("blobBytes", layer.getBlobBytes())
                    .with("cachedBytes", layer.getCachedBytes())
                    .with("streamed", layer.getStreamed())
                    .with("reason", layer.getReason())
                    .members())
            .toList();
    LayerTally tally = tally(image);
    return new Json()
        .with("reference", image.getReference())
        .with("manifest", image.getManifest())
        .with("lazyLayers", tally.lazy())
        .with("streamedLayers", tally.streamed())
        .with("layers", layers)
        .members();
  }

  private static Map<String, Object> mount(RootfsMount mount) {
    return new Json()
        .with("chainId", mount.getChainId())
        .with("directory", mount.getDirectory())
        .with("driver", mount.getDriver())
        .with("mounted", mount.getProblem().isEmpty())
        .with("problem", mount.getProblem())
        .members();
  }

  private static Map<String, Object> fallback(Fallback fallback) {
    return new Json()
        .with("at", instant(fallback.getAt()).toString())
        .with("image", fallback.getImage())
        .with("chainId", fallback.getChainId())
        .with("kind", fallback.getKind())
        .with("reason", fallback.getReason())
        .members();
  }

  private static Map<String, Object> lie(LyingIndex lie) {
    return new Json()
        .with("layer", lie.getLayer())
        .with("format", lie.getFormat())
        .with("images", lie.getImagesList())
        .with("reason", lie.getReason())
        .members();
  }

  private static Map<String, Object> undecided(UndecidedLayer layer) {
    return new Json()
        .with("layer", layer.getLayer())
        .with("format", layer.getFormat())
        .with("images", layer.getImagesList())
        .with("reason", layer.getReason())
        .with("tries", layer.getTries())
        .with("nextTry", layer.hasNextTry() ? instant(layer.getNextTry()).toString() : "")
        .members();
  }

  private static String counts(Map<String, Long> byKind) {
    StringJoiner words = new StringJoiner(", ");
    words.setEmptyValue("none");
    new TreeMap<>(byKind).forEach((kind, count) -> words.add(count + " " + kind));
    return words.toString();
  }

  private static String text(Duration duration) {
    return duration.toDays() > 0
        ? "%d d %d h".formatted(duration.toDays(), duration.toHoursPart())
        : "%d h %d min %d s"
            .formatted(duration.toHours(), duration.toMinutesPart(), duration.toSecondsPart());
  }

  private static Instant instant(Timestamp at) {
    return Instant.ofEpochSecond(at.getSeconds(), at.getNanos());
  }
}
