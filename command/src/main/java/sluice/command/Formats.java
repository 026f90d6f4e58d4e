package sluice.command;

import java.util.List;
import sluice.core.Descriptor;
import sluice.core.ImageRegistry;
import sluice.core.LayerFormat;
import sluice.core.RangeSource;
import sluice.formats.rafs.RafsFormat;
import sluice.formats.tar.TarFormat;

/** The layer formats that Sluice knows. */
public final class Formats {

  private final List<LayerFormat> all;

  /**
   * @param blobs gives blobs, and parts of them
   * @param documents gives what formats keep outside of layers
   */
  public Formats(RangeSource blobs, ImageRegistry documents) {
    all = List.of(new RafsFormat(blobs), new TarFormat(blobs));
  }

  /** All of them, the preferred one first. */
  List<LayerFormat> all() {
    return all;
  }

  /**
   * Whether an index says that the manifest holds its image in one of the formats, beside one that
   * holds it in ordinary layers.
   */
  public boolean isVariant(Descriptor manifest) {
    return all.stream().anyMatch(format -> format.isVariant(manifest));
  }
}
