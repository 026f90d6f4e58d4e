package sluice.formats.soci;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.IndexOrigin.Binding;
import sluice.core.LayerFormat;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.formats.soci.SociIndex.Version;

/** Lists the SOCI indexes that an image has in its repository. Safe for use by many threads. */
public final class IndexList {

  private final ImageRegistry registry;

  public IndexList(ImageRegistry registry) {
    this.registry = registry;
  }

  /**
   * The index that the image's manifest names, then those that refer to the image. One that cannot
   * be read is listed with what is wrong with it.
   *
   * @throws IOException if the repository does not say which there are
   */
  public List<ListedIndex> of(LayerFormat.Image image) throws IOException, InterruptedException {
    List<ListedIndex> found = new ArrayList<>();
    String pinned = image.manifest().annotations().get(SociFormat.INDEX_DIGEST);
    if (pinned != null) {
      found.add(read(image, Digest.parse(pinned), Version.V2));
    }
    found.addAll(referrers(image));
    return found;
  }

  /** Those that refer to the image. */
  public List<ListedIndex> referrers(LayerFormat.Image image)
      throws IOException, InterruptedException {
    List<ListedIndex> found = new ArrayList<>();
    for (Descriptor referrer :
        registry.referrers(
            image.reference().repository(), image.digest(), Optional.of(Version.V1.type()))) {
      found.add(read(image, referrer.digest(), Version.V1));
    }
    return found;
  }

  /**
   * Fetches a zTOC that an index lists.
   *
   * @param scratch a file that is not there, and is not there when this returns
   * @throws CorruptException if it is none, or not what its descriptor says
   */
  public static Ztoc fetch(RangeSource source, Repository repository, Descriptor ztoc, Path scratch)
      throws IOException, InterruptedException {
    String resource = "zTOC " + ztoc.digest();
    if (ztoc.sizeBytes() > Ztoc.MAX_BYTES) {
      throw new CorruptException(
          "%d bytes, at most %d are fetched".formatted(ztoc.sizeBytes(), Ztoc.MAX_BYTES),
          resource,
          -1);
    }
    return Ztoc.open(new ZtocFetch(source, Set.of(repository), scratch).fetch(ztoc), resource);
  }

  private ListedIndex read(LayerFormat.Image image, Digest digest, Version version)
      throws InterruptedException {
    Binding binding = version == Version.V2 ? Binding.IMAGE : Binding.REFERRER;
    try {
      ImageReference reference = new ImageReference(image.reference().repository(), null, digest);
      if (registry.document(registry.resolve(reference)) instanceof ImageDocument.Manifest manifest
          && new SociIndex(digest, manifest).is(version)) {
        return new ListedIndex(
            digest,
            binding,
            version.label(),
            manifest.annotations().getOrDefault(SociIndex.TOOL, ""),
            layers(manifest),
            "");
      }
      throw new CorruptException("no manifest of type " + version.type(), digest.toString(), -1);
    } catch (IOException e) {
      return new ListedIndex(
          digest, binding, version.label(), "", List.of(), String.valueOf(e.getMessage()));
    }
  }

  private static List<ListedIndex.OfLayer> layers(ImageDocument.Manifest index)
      throws CorruptException {
    List<ListedIndex.OfLayer> layers = new ArrayList<>();
    for (Descriptor ztoc : index.layers()) {
      String layer = ztoc.annotations().get(SociIndex.LAYER);
      if (!ztoc.mediaType().equals(SociIndex.ZTOC_TYPE) || layer == null) {
        continue;
      }
      try {
        layers.add(new ListedIndex.OfLayer(Digest.parse(layer), ztoc));
      } catch (IllegalArgumentException e) {
        throw new CorruptException(
            "annotation %s: %s".formatted(SociIndex.LAYER, e.getMessage()),
            ztoc.digest().toString(),
            -1);
      }
    }
    return layers;
  }
}
