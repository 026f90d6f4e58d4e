package sluice.command.convert;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import sluice.cache.CacheListener;
import sluice.cache.CacheReport;
import sluice.cache.CacheSettings;
import sluice.cache.ChunkCache;
import sluice.cache.Failpoints;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.ImagePublisher;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.IndexOrigin;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.Platform;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.core.StatementCheck;
import sluice.core.UnservedException;
import sluice.erofs.LayerTree;
import sluice.erofs.MetadataImage;
import sluice.erofs.MetadataImageMerge;
import sluice.erofs.MetadataImageWriter;
import sluice.formats.decode.EncodingDecoder;
import sluice.formats.rafs.RafsConverter;
import sluice.formats.rafs.RafsConverter.Converted;
import sluice.formats.rafs.RafsFormat;
import sluice.formats.tar.TarFormat;
import sluice.snapshotter.image.ImageManifest;
import sluice.snapshotter.image.ImageResolver;
import sluice.snapshotter.image.LocalContent;

/**
 * Converts an image of ordinary layers to RAFS v6 and pushes it: one blob that holds each chunk of
 * the whole image once, and the bootstrap. The layers are streamed once, into files of a work
 * directory as large as the unpacked image and its result together. What was written is read back
 * before anything is pushed, and the manifest is pushed last.
 *
 * <p>The same source and options give the same digests. Makes native calls: for platform threads.
 */
public final class ImageConversion {

  /** Where a merged image has the image's root. */
  private static final Bytes MERGED_ROOT = Bytes.utf8("fs");

  private final RangeSource source;
  private final ImageRegistry registry;
  private final ImagePublisher publisher;
  private final ConversionProgress progress;

  public ImageConversion(
      RangeSource source,
      ImageRegistry registry,
      ImagePublisher publisher,
      ConversionProgress progress) {
    this.source = source;
    this.registry = registry;
    this.publisher = publisher;
    this.progress = progress;
  }

  /**
   * What to convert.
   *
   * @param platform which image, if the source is an index
   * @param work an existing directory; gets a directory that is deleted at the end
   */
  public record Request(
      ImageReference source,
      ImageReference target,
      Platform platform,
      RafsConverter.Options options,
      Path work) {}

  /**
   * What was pushed.
   *
   * @param digest of the manifest
   * @param sourceBytes the compressed size of the source's layers
   * @param targetBytes the same of the result
   * @param chunks how many chunks the files of the image are cut into
   * @param equalChunks how many of them are not stored, because an equal one is
   */
  public record Result(
      ImageReference target,
      Digest digest,
      long sourceBytes,
      long targetBytes,
      long chunks,
      long equalChunks) {}

  /** A result that is not pushed yet: its layers, lowest first, are blobs of a layout. */
  private record Written(Converted converted, Repository.InLayout layout, long chunks) {
    List<Descriptor> layers() {
      List<Descriptor> layers = new ArrayList<>();
      converted.blob().ifPresent(layers::add);
      layers.add(converted.bootstrap());
      return layers;
    }

    Path file(Descriptor descriptor) {
      return blobs(layout).resolve(descriptor.digest().hex());
    }

    static Path blobs(Repository.InLayout layout) {
      return layout.directory().resolve("blobs/sha256");
    }
  }

  /**
   * Converts and pushes. On failure the target may have got blobs, but no manifest.
   *
   * @throws UnservedException if a layer is none that can be unpacked
   * @throws IOException if the source or the target cannot be reached, the source is corrupt, or
   *     the work directory is full
   */
  public Result convert(Request request) throws IOException, InterruptedException {
    ImageManifest image =
        new ImageResolver(registry, LocalContent.NONE, new RafsFormat(source)::isVariant)
            .resolve(request.source(), request.platform())
            .image();
    try (WorkDirectory work = WorkDirectory.create(request.work());
        ChunkCache devices =
            ChunkCache.open(
                work.path().resolve("devices"),
                source,
                new EncodingDecoder(),
                StatementCheck.NONE,
                CacheSettings.defaults(),
                CacheListener.NONE,
                Failpoints.NONE)) {
      return convert(request, image, work.path(), devices);
    }
  }

  private Result convert(Request request, ImageManifest image, Path work, ChunkCache devices)
      throws IOException, InterruptedException {
    try {
      Path merged = work.resolve("merged.erofs");
      List<Path> trees = index(image, request.source().repository(), work, devices);
      MetadataImageMerge.merge(trees, merged);
      Written written = write(merged, devices, work, request.options());
      long stored = readBack(written, work, devices);
      Digest digest = push(request.target(), image, written, work);
      return new Result(
          request.target(),
          digest,
          image.sizeBytes(),
          written.layers().stream().mapToLong(Descriptor::sizeBytes).sum(),
          written.chunks(),
          written.chunks() - stored);
    } catch (ClosedByInterruptException e) {
      // The status is in the exception from here on, so that cleaning up can use channels.
      Thread.interrupted();
      InterruptedException interrupted = new InterruptedException("interrupted while converting");
      interrupted.initCause(e);
      throw interrupted;
    }
  }

  /** Streams all layers, lowest first; there is a tree also if there are none. */
  private List<Path> index(ImageManifest image, Repository holder, Path work, ChunkCache devices)
      throws IOException, InterruptedException {
    List<Path> trees = new ArrayList<>();
    try (ConversionProgress.Phase phase = progress.begin("Reading", image.sizeBytes())) {
      TarFormat format = new TarFormat(new MeteredSource(source, phase));
      for (int position = 0; position < image.layerCount(); position++) {
        Path tree = work.resolve("layer-%d.erofs".formatted(position));
        LayerFormat.Layer layer =
            image.layer(position, new ImageReference(holder, null, image.digest()), Set.of(holder));
        indexer(format, layer).index(tree, devices);
        trees.add(tree);
      }
    }
    if (trees.isEmpty()) {
      Path tree = work.resolve("no-layer.erofs");
      MetadataImageWriter.write(new LayerTree("image without layers"), List.of(), tree);
      trees.add(tree);
    }
    return trees;
  }

  private static LayerFormat.Indexer indexer(TarFormat format, LayerFormat.Layer layer)
      throws UnservedException {
    Descriptor descriptor = layer.descriptor();
    return switch (format.recognise(layer, IndexTrust.PINNED)) {
      case LayerFormat.Recognition.Tree(LayerFormat.Indexer indexer, IndexOrigin _) -> indexer;
      case LayerFormat.Recognition.Refused(String reason) ->
          throw new UnservedException("layer %s: %s".formatted(descriptor.digest(), reason));
      case LayerFormat.Recognition.Foreign foreign -> throw notOrdinary(descriptor);
      case LayerFormat.Recognition.ImageTree tree -> throw notOrdinary(descriptor);
      case LayerFormat.Recognition.DataOnly data -> throw notOrdinary(descriptor);
    };
  }

  private static UnservedException notOrdinary(Descriptor layer) {
    return new UnservedException(
        "layer %s: a tar is expected, found media type %s; is the image converted already?"
            .formatted(layer.digest(), layer.mediaType()));
  }

  private Written write(Path merged, ChunkCache devices, Path work, RafsConverter.Options options)
      throws IOException, InterruptedException {
    Path blob = work.resolve("blob");
    Path layer = work.resolve("bootstrap");
    Written written;
    try (MetadataImage image = MetadataImage.open(merged);
        DeviceBytes bytes = DeviceBytes.open(image, devices)) {
      long root = image.lookup(image.rootNid(), MERGED_ROOT);
      FileTotals totals = FileTotals.of(image, root, options.chunkBytes());
      try (ConversionProgress.Phase phase = progress.begin("Converting", totals.bytes())) {
        Converted converted =
            RafsConverter.convert(image, root, bytes, blob, layer, options, phase::reached);
        Repository.InLayout layout = new Repository.InLayout(work.resolve("result"));
        written = new Written(converted, layout, totals.chunks());
      }
    }
    Files.createDirectories(Written.blobs(written.layout()));
    Files.move(layer, written.file(written.converted().bootstrap()));
    if (written.converted().blob().isPresent()) {
      Files.move(blob, written.file(written.converted().blob().get()));
    }
    return written;
  }

  /**
   * Reads the result as a node will that mounts it.
   *
   * @return how many chunks it stores
   */
  private long readBack(Written written, Path work, ChunkCache devices)
      throws IOException, InterruptedException {
    Converted converted = written.converted();
    List<Descriptor> layers = written.layers();
    ImageDocument.Manifest manifest =
        new ImageDocument.Manifest(converted.bootstrap(), layers, Map.of(), null, null);
    LayerFormat.Layer top =
        new LayerFormat.Layer(
            new LayerFormat.Image(
                new ImageReference(written.layout(), null, converted.bootstrap().digest()),
                converted.bootstrap().digest(),
                manifest),
            layers.size() - 1,
            converted.bootstrapDiffId(),
            Set.of(written.layout()));
    if (!(new RafsFormat(source).recognise(top, IndexTrust.PINNED)
        instanceof LayerFormat.Recognition.ImageTree(LayerFormat.Indexer indexer, IndexOrigin _))) {
      throw new CorruptException(
          "the converted image is not recognised as RAFS", "bootstrap " + top.descriptor(), -1);
    }
    indexer.index(work.resolve("read-back.erofs"), devices);
    return devices.report().devices().stream()
        .filter(entry -> converted.blob().filter(b -> b.digest().equals(entry.blob())).isPresent())
        .mapToLong(CacheReport.Entry::chunks)
        .sum();
  }

  private Digest push(ImageReference target, ImageManifest image, Written written, Path work)
      throws IOException, InterruptedException {
    ImageRegistry.Content config = TargetDocuments.config(image, written.converted());
    Path configFile = work.resolve("config.json");
    Files.write(configFile, config.bytes().toArray());
    List<Descriptor> layers = written.layers();
    ImageRegistry.Content manifest = TargetDocuments.manifest(image, config.descriptor(), layers);
    long total = layers.stream().mapToLong(Descriptor::sizeBytes).sum();
    try (ConversionProgress.Phase phase = progress.begin("Pushing", total)) {
      long done = 0;
      for (Descriptor layer : layers) {
        publisher.putBlob(target.repository(), layer, written.file(layer));
        done += layer.sizeBytes();
        phase.reached(done);
      }
      publisher.putBlob(target.repository(), config.descriptor(), configFile);
      publisher.putManifest(target, manifest);
    }
    return manifest.descriptor().digest();
  }
}
