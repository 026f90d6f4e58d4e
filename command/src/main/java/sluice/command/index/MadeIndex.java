package sluice.command.index;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import sluice.core.Descriptor;
import sluice.core.ImagePublisher;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry.Content;
import sluice.core.Repository;
import sluice.formats.soci.SociIndexWriter;

/**
 * An index that is ready to be put beside its image.
 *
 * @param manifest the index
 * @param ztocs what it lists
 */
public record MadeIndex(Content manifest, List<Blob> ztocs) {

  public MadeIndex {
    ztocs = List.copyOf(ztocs);
  }

  /** A zTOC in a file. */
  public record Blob(Descriptor descriptor, Path file) {}

  /**
   * A zTOC that was made.
   *
   * @param layer the layer that it is of
   * @param spanBytes after how many decoded bytes a span could end
   */
  public record OfLayer(Descriptor layer, Blob ztoc, long spanBytes) {}

  /** Is told of each blob that was put. */
  @FunctionalInterface
  public interface Listener {
    void put(Descriptor blob);
  }

  /**
   * The index of these zTOCs.
   *
   * @param image the image's manifest
   * @param tool name and version of what made them
   */
  public static MadeIndex of(Descriptor image, List<OfLayer> layers, String tool) {
    SociIndexWriter writer = new SociIndexWriter(image, tool);
    layers.forEach(of -> writer.add(of.layer, of.ztoc.descriptor, of.spanBytes));
    return new MadeIndex(writer.write(), layers.stream().map(OfLayer::ztoc).toList());
  }

  /** How much there is to put, but for some hundred bytes. */
  public long sizeBytes() {
    return ztocs.stream().mapToLong(ztoc -> ztoc.descriptor.sizeBytes()).sum();
  }

  /**
   * Puts the index, and what it lists, into a repository that holds the image. The manifest goes
   * last, so that nobody finds half an index.
   */
  public void put(Repository repository, ImagePublisher publisher, Listener listener)
      throws IOException, InterruptedException {
    for (Blob ztoc : ztocs) {
      publisher.putBlob(repository, ztoc.descriptor, ztoc.file);
      listener.put(ztoc.descriptor);
    }
    Path config = Files.createTempFile("sluice-index", ".json");
    try {
      Files.write(config, SociIndexWriter.CONFIG_CONTENT.toArray());
      publisher.putBlob(repository, SociIndexWriter.config(), config);
    } finally {
      Files.deleteIfExists(config);
    }
    publisher.putManifest(
        new ImageReference(repository, null, manifest.descriptor().digest()), manifest);
  }
}
