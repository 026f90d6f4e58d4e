package sluice.command.index;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.IndexOrigin;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.RangeSource;
import sluice.formats.soci.OwnIndex;
import sluice.formats.soci.OwnIndexes;
import sluice.formats.soci.SociIndexWriter;
import sluice.formats.soci.ZtocRecorder;
import sluice.formats.tar.TarFormat;
import sluice.snapshotter.image.ImageManifest;
import sluice.snapshotter.image.ResolvedImage;

/** Streams the layers of an image, one after the other, and writes down a zTOC of each. */
public final class IndexCreation {

  /** A pass over the largest layer that there may be ends sooner. */
  private static final Duration LIMIT = Duration.ofDays(1);

  private final RangeSource source;
  private final String tool;
  private final long spanBytes;

  /**
   * @param source gives layers
   * @param tool name and version of what makes the index
   * @param spanBytes after how many decoded bytes a span may end
   */
  public IndexCreation(RangeSource source, String tool, long spanBytes) {
    this.source = source;
    this.tool = tool;
    this.spanBytes = spanBytes;
  }

  /**
   * What came of it.
   *
   * @param index files of it lie in the work directory
   * @param without layers that have no zTOC, and why
   */
  public record Result(
      MadeIndex index, List<MadeIndex.OfLayer> layers, Map<Digest, String> without) {}

  /**
   * Makes an index. Each layer is verified while it streams.
   *
   * @param work an empty directory, with room for the largest layer and all zTOCs
   * @throws IOException if a layer cannot be had or is corrupt, or none of them can have a zTOC
   */
  public Result create(ResolvedImage image, Path work) throws IOException, InterruptedException {
    OwnIndexes own =
        OwnIndexes.open(work.resolve("indexes"), Long.MAX_VALUE, InstantSource.system());
    ImageManifest manifest = image.image();
    Map<Digest, String> without = new LinkedHashMap<>();
    Map<Digest, LayerFormat.Layer> layers = new LinkedHashMap<>();
    for (int at = 0; at < manifest.layerCount(); at++) {
      LayerFormat.Layer layer = manifest.layer(at, image.reference(), image.holders());
      layers.putIfAbsent(layer.descriptor().digest(), layer);
    }
    try (ZtocRecorder recorder =
        ZtocRecorder.open(own, new ZtocRecorder.Settings(tool, spanBytes, Long.MAX_VALUE))) {
      TarFormat format = new TarFormat(source, recorder);
      for (LayerFormat.Layer layer : layers.values()) {
        stream(format, layer, work.resolve("tree"), without);
      }
      if (!recorder.awaitIdle(LIMIT)) {
        throw new IOException("index: not made within " + LIMIT.toHours() + " hours");
      }
    }
    List<MadeIndex.OfLayer> made = new ArrayList<>();
    for (LayerFormat.Layer layer : layers.values()) {
      if (!without.containsKey(layer.descriptor().digest())) {
        collect(own, layer, work, made, without);
      }
    }
    if (made.isEmpty()) {
      throw new IOException(
          "%s: no layer can have an index: %s".formatted(image.reference(), without));
    }
    return new Result(MadeIndex.of(manifest.content().descriptor(), made, tool), made, without);
  }

  private static void stream(
      TarFormat format, LayerFormat.Layer layer, Path tree, Map<Digest, String> without)
      throws IOException, InterruptedException {
    switch (format.recognise(layer, IndexTrust.PINNED)) {
      case Recognition.Tree(LayerFormat.Indexer indexer, IndexOrigin _) -> {
        indexer.index(tree, new DiscardingDevices());
        Files.delete(tree);
      }
      case Recognition.Refused(String reason) -> without.put(layer.descriptor().digest(), reason);
      case Recognition.Foreign _, Recognition.ImageTree _, Recognition.DataOnly _ ->
          without.put(
              layer.descriptor().digest(),
              "no ordinary layer, but " + layer.descriptor().mediaType());
    }
  }

  private void collect(
      OwnIndexes own,
      LayerFormat.Layer layer,
      Path work,
      List<MadeIndex.OfLayer> made,
      Map<Digest, String> without)
      throws IOException {
    Digest digest = layer.descriptor().digest();
    OwnIndex index = own.find(digest, layer.diffId()).orElse(null);
    if (index == null) {
      without.put(digest, "no index was made, as the log says (--debug)");
      return;
    }
    Descriptor ztoc = index.ztoc();
    if (ztoc == null) {
      without.put(digest, index.reason());
    } else if (!SociIndexWriter.takes(ztoc)) {
      without.put(digest, "SOCI indexes hold none of " + layer.descriptor().mediaType());
    } else {
      Path file = work.resolve("ztoc-" + ztoc.digest().hex());
      try (InputStream content = own.open(index)) {
        Files.copy(content, file);
      }
      made.add(
          new MadeIndex.OfLayer(layer.descriptor(), new MadeIndex.Blob(ztoc, file), spanBytes));
    }
  }
}
