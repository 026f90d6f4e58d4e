package sluice.command.index;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageReference;
import sluice.core.LayerFormat;
import sluice.core.Repository;
import sluice.formats.soci.IndexList;
import sluice.formats.soci.ListedIndex;
import sluice.registry.OciLayout;
import sluice.snapshotter.image.ResolvedImage;

/** An image layout in which indexes are kept until they are pushed. It holds no images. */
public final class IndexLayout {

  private final OciLayout layouts = new OciLayout();
  private final Repository.InLayout repository;

  /**
   * @param directory made when the first index is kept
   */
  public IndexLayout(Path directory) {
    this.repository = new Repository.InLayout(directory);
  }

  /** The layout, as a repository. */
  public Repository.InLayout repository() {
    return repository;
  }

  /** Keeps an index. */
  public void keep(MadeIndex index) throws IOException, InterruptedException {
    index.put(repository, layouts, blob -> {});
  }

  /** The indexes of an image that are kept, the latest first. */
  public List<ListedIndex> list(ResolvedImage image) throws IOException, InterruptedException {
    if (!Files.exists(repository.directory().resolve("index.json"))) {
      return List.of();
    }
    Digest digest = image.image().digest();
    LayerFormat.Image here =
        new LayerFormat.Image(
            new ImageReference(repository, null, digest), digest, image.image().manifest());
    List<ListedIndex> kept = new ArrayList<>();
    for (ListedIndex index : new IndexList(layouts).referrers(here)) {
      if (index.problem().isEmpty()) {
        kept.addFirst(index);
      }
    }
    return kept;
  }

  /** The latest index of an image. */
  public Optional<MadeIndex> latest(ResolvedImage image) throws IOException, InterruptedException {
    List<ListedIndex> kept = list(image);
    return kept.isEmpty() ? Optional.empty() : Optional.of(read(kept.getFirst()));
  }

  private MadeIndex read(ListedIndex index) throws IOException {
    List<MadeIndex.Blob> ztocs = new ArrayList<>();
    for (ListedIndex.OfLayer of : index.layers()) {
      ztocs.add(new MadeIndex.Blob(bare(of.ztoc()), file(of.ztoc().digest())));
    }
    return new MadeIndex(
        layouts.resolve(new ImageReference(repository, null, index.manifest())), ztocs);
  }

  private static Descriptor bare(Descriptor ztoc) {
    return new Descriptor(ztoc.mediaType(), ztoc.digest(), ztoc.sizeBytes());
  }

  private Path file(Digest digest) {
    return repository
        .directory()
        .resolve("blobs")
        .resolve(digest.algorithm().label())
        .resolve(digest.hex());
  }
}
