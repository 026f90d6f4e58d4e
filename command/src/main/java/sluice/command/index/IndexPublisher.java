package sluice.command.index;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImagePublisher;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.ImageRegistry.Content;
import sluice.core.LayerFormat;
import sluice.core.Repository;
import sluice.formats.soci.IndexList;
import sluice.formats.soci.OwnIndex;
import sluice.formats.soci.SociIndexWriter;
import sluice.formats.soci.ZtocRecorder;

/**
 * Pushes the indexes that this node made of images which it streamed, so that the next node need
 * not: in the background, an image at a time, once each, and only if the image has none that is as
 * good. A registry that does not let this node push is asked once and not again; nothing of this is
 * anybody's failure.
 */
public final class IndexPublisher implements Closeable {

  private static final Logger LOG = LoggerFactory.getLogger(IndexPublisher.class);

  /** More images than this are not pulled while one index is pushed. */
  private static final int MAX_WAITING = 256;

  /** Images and repositories that are remembered; forgetting one costs some requests. */
  private static final int MAX_REMEMBERED = 4096;

  /** An index comes behind its layer; who streams on and on is not waited for. */
  private static final Duration RECORDING = Duration.ofMinutes(10);

  private static final int NOT_ALLOWED = 405;

  /** Where indexes come from and where they go. */
  public record Ports(ImageRegistry registry, ImagePublisher publisher, ZtocRecorder recorder) {}

  private record Image(Repository repository, Digest manifest) {}

  private final Ports ports;
  private final Path scratch;
  private final BlockingQueue<Image> waiting = new LinkedBlockingQueue<>(MAX_WAITING);
  private final Set<Image> done = remembered();
  private final Set<Repository> refused = remembered();
  private final Thread thread;

  private IndexPublisher(Ports ports, Path scratch) {
    this.ports = ports;
    this.scratch = scratch;
    this.thread = Thread.ofPlatform().name("push indexes").daemon().unstarted(this::work);
  }

  /**
   * Begins to wait for images.
   *
   * @param scratch a directory of its own, for files that are deleted soon
   */
  public static IndexPublisher start(Ports ports, Path scratch) throws IOException {
    Files.createDirectories(scratch);
    try (DirectoryStream<Path> left = Files.newDirectoryStream(scratch)) {
      for (Path file : left) {
        Files.delete(file);
      }
    }
    IndexPublisher publisher = new IndexPublisher(ports, scratch);
    publisher.thread.start();
    return publisher;
  }

  /** Says that layers of an image are here. Returns at once. */
  public void offer(Repository repository, Digest manifest) {
    Image image = new Image(repository, manifest);
    boolean worth =
        repository instanceof Repository.InRegistry
            && !done.contains(image)
            && !refused.contains(repository)
            && !waiting.contains(image);
    if (worth && !waiting.offer(image)) {
      LOG.debug("the index of {} is not pushed: too many are waiting", image);
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void work() {
    try {
      while (true) {
        Image image = waiting.take();
        ports.recorder.awaitIdle(RECORDING);
        // What is offered from now on may have come too late for us.
        waiting.remove(image);
        if (!done.contains(image) && !refused.contains(image.repository)) {
          publish(image);
        }
      }
    } catch (InterruptedException e) {
      LOG.debug("no more indexes are pushed");
    }
  }

  private void publish(Image image) throws InterruptedException {
    try {
      if (tryToPublish(image)) {
        done.add(image);
      }
    } catch (FetchException e) {
      if (isRefusal(e)) {
        refused.add(image.repository);
        LOG.info(
            "indexes of images in {} are not pushed, the registry does not let this node: {}",
            image.repository,
            e.getMessage());
      } else {
        done.add(image);
        LOG.info("the index of {} is not pushed: {}", image, e.getMessage());
      }
    } catch (IOException | RuntimeException e) {
      done.add(image);
      LOG.info("the index of {} is not pushed: {}", image, e.toString());
    }
  }

  private static boolean isRefusal(FetchException failure) {
    return switch (failure.reason()) {
      case UNAUTHORIZED, NOT_FOUND -> true;
      case UNREACHABLE, THROTTLED, SERVER_ERROR, PROTOCOL -> failure.status() == NOT_ALLOWED;
    };
  }

  /** Whether that is all that is to do for the image; else it is worth to be tried again. */
  private boolean tryToPublish(Image image) throws IOException, InterruptedException {
    ImageReference reference = new ImageReference(image.repository, null, image.manifest);
    Content content = ports.registry.resolve(reference);
    if (!(ports.registry.document(content) instanceof ImageDocument.Manifest manifest)) {
      return true;
    }
    Optional<Map<Descriptor, OwnIndex>> found = indexes(image.repository, manifest);
    if (found.isEmpty()) {
      LOG.debug("the index of {} is not pushed yet: not all layers have one", reference);
      return false;
    }
    Map<Descriptor, OwnIndex> indexes = found.get();
    if (indexes.isEmpty()) {
      return true;
    }
    LayerFormat.Image of = new LayerFormat.Image(reference, image.manifest, manifest);
    boolean there =
        new IndexList(ports.registry)
            .of(of).stream()
                .anyMatch(index ->
                    indexes.keySet().stream()
                        .allMatch(layer -> index.ztoc(layer.digest()).isPresent()));
    if (there) {
      LOG.debug("{} has an index already", reference);
      return true;
    }
    push(content.descriptor(), image.repository, indexes);
    return true;
  }

  /** What was made of each layer that could have an index; empty if it may still come. */
  private Optional<Map<Descriptor, OwnIndex>> indexes(
      Repository repository, ImageDocument.Manifest manifest)
      throws IOException, InterruptedException {
    ImageConfig config = ports.registry.config(ports.registry.read(repository, manifest.config()));
    Map<Descriptor, OwnIndex> indexes = new LinkedHashMap<>();
    if (config.diffIds().size() != manifest.layers().size()) {
      return Optional.of(indexes);
    }
    Set<Digest> seen = new LinkedHashSet<>();
    for (int at = 0; at < manifest.layers().size(); at++) {
      Descriptor layer = manifest.layers().get(at);
      if (!seen.add(layer.digest())) {
        continue;
      }
      Optional<OwnIndex> own =
          ports.recorder.indexes().find(layer.digest(), config.diffIds().get(at));
      if (own.isEmpty()) {
        return Optional.empty();
      }
      Descriptor ztoc = own.get().ztoc();
      if (ztoc != null && SociIndexWriter.takes(ztoc)) {
        indexes.put(layer, own.get());
      }
    }
    return Optional.of(indexes);
  }

  private void push(Descriptor image, Repository repository, Map<Descriptor, OwnIndex> indexes)
      throws IOException, InterruptedException {
    List<MadeIndex.OfLayer> layers = new ArrayList<>();
    try {
      for (Map.Entry<Descriptor, OwnIndex> each : indexes.entrySet()) {
        Descriptor ztoc = each.getValue().ztoc();
        if (ztoc == null) {
          throw new AssertionError("only indexes are taken");
        }
        Path file = Files.createTempFile(scratch, "push-", "");
        layers.add(
            new MadeIndex.OfLayer(
                each.getKey(),
                new MadeIndex.Blob(ztoc, file),
                ports.recorder.settings().spanBytes()));
        try (InputStream content = ports.recorder.indexes().open(each.getValue())) {
          Files.copy(content, file, StandardCopyOption.REPLACE_EXISTING);
        }
      }
      MadeIndex index = MadeIndex.of(image, layers, ports.recorder.settings().tool());
      index.put(repository, ports.publisher, blob -> {});
      LOG.info(
          "pushed an index of {} in {}: {}, {} zTOCs",
          image.digest(),
          repository,
          index.manifest().descriptor().digest(),
          layers.size());
    } finally {
      for (MadeIndex.OfLayer layer : layers) {
        Files.deleteIfExists(layer.ztoc().file());
      }
    }
  }

  private static <T> Set<T> remembered() {
    return Collections.synchronizedSet(
        Collections.newSetFromMap(
            new LinkedHashMap<>() {
              @Override
              protected boolean removeEldestEntry(Map.Entry<T, Boolean> eldest) {
                return size() > MAX_REMEMBERED;
              }
            }));
  }
}
