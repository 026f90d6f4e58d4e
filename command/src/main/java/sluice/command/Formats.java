package sluice.command;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sluice.command.config.ConfigException;
import sluice.core.Descriptor;
import sluice.core.ImageRegistry;
import sluice.core.LayerFormat;
import sluice.core.RangeSource;
import sluice.formats.estargz.EstargzFormat;
import sluice.formats.rafs.RafsFormat;
import sluice.formats.record.LayerRecorder;
import sluice.formats.soci.OwnIndexes;
import sluice.formats.soci.SociFormat;
import sluice.formats.tar.TarFormat;
import sluice.formats.zstdchunked.ZstdChunkedFormat;

/** The layer formats that Sluice knows. */
public final class Formats {

  private final List<LayerFormat> all;

  /** Indexes that are made here: {@code sluice.formats.soci} reads and writes them. */
  record Made(LayerRecorder recorder, @Nullable OwnIndexes indexes) {
    static final Made NONE = new Made(LayerRecorder.NONE, null);
  }

  /**
   * @param blobs gives blobs, and parts of them
   * @param documents gives what formats keep outside of layers
   */
  public Formats(RangeSource blobs, ImageRegistry documents) {
    this(blobs, documents, Made.NONE);
  }

  /**
   * @param made indexes that this node has made, and more that it makes
   */
  Formats(RangeSource blobs, ImageRegistry documents, Made made) {
    all =
        List.of(
            new RafsFormat(blobs),
            new EstargzFormat(blobs, documents),
            new ZstdChunkedFormat(blobs),
            new SociFormat(blobs, documents, InstantSource.system(), made.indexes),
            new TarFormat(blobs, made.recorder));
  }

  /** All of them, the preferred one first. */
  List<LayerFormat> all() {
    return all;
  }

  /**
   * Those that are wanted, in that order, and last the one that can stream every layer.
   *
   * @param order names of formats; empty for all of them
   * @param file the configuration that says so
   * @throws ConfigException if there is no format of such a name, or one behind the last one
   */
  List<LayerFormat> inOrder(List<String> order, String file) throws ConfigException {
    if (order.isEmpty()) {
      return all;
    }
    Map<String, LayerFormat> left = new LinkedHashMap<>();
    all.forEach(format -> left.put(format.name(), format));
    LayerFormat streaming = all.getLast();
    List<LayerFormat> chosen = new ArrayList<>();
    for (String name : order) {
      LayerFormat format = left.remove(name);
      if (format == null) {
        throw new ConfigException(
            "%s: index.order: \"%s\" is no format, or is there twice; there are %s"
                .formatted(file, name, all.stream().map(LayerFormat::name).toList()));
      }
      chosen.add(format);
    }
    if (left.containsValue(streaming)) {
      chosen.add(streaming);
    } else if (!chosen.getLast().equals(streaming)) {
      throw new ConfigException(
          "%s: index.order: \"%s\" streams every layer, so that what stands behind it, found %s, would never be used: put it last, or leave it out"
              .formatted(file, streaming.name(), order));
    }
    return chosen;
  }

  /** Whether indexes that are made here are used, in an order as {@link #inOrder} takes it. */
  static boolean useMade(List<String> order) {
    return order.isEmpty() || order.contains(SociFormat.NAME);
  }

  /**
   * Whether an index says that the manifest holds its image in one of the formats, beside one that
   * holds it in ordinary layers.
   */
  public boolean isVariant(Descriptor manifest) {
    return all.stream().anyMatch(format -> format.isVariant(manifest));
  }
}
