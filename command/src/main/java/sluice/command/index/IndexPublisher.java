package sluice.command.index;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.command.index.PublishQueue.Image;
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
 * not: in the background, an image at a time, and only if the image has none that is as good. What
 * fails is tried again a few times; a registry that does not let this node push is asked once and
 * not again. Nothing of this is anybody's failure.
 */
public final class IndexPublisher implements Closeable {

  private static final Logger LOG = LoggerFactory.getLogger(IndexPublisher.class);

  /** An index comes behind its layer; who streams on and on is not waited for. */
  private static final Duration RECORDING = Duration.ofMinutes(10);

  private static final int NOT_ALLOWED = 405;

  /** Where indexes come from and where they go. */
  public record Ports(
      ImageRegistry registry,
      ImagePublisher publisher,
      ZtocRecorder recorder,
      InstantSource clock) {}

  private final Ports ports;
  private final Path scratch;
  private final PublishQueue queue;
  private final Thread thread;

  private IndexPublisher(Ports ports, Path scratch) {
    this.ports = ports;
    this.scratch = scratch;
    this.queue = new PublishQueue(ports.clock);
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
    if (repository instanceof Repository.InRegistry) {
      boolean waits = queue.offer(new Image(repository, manifest));
      LOG.debug("{} in {}: its index {}", manifest, repository, waits ? "is due" : "is not pushed");
    }
  }

  /** The same after a restart: only if there is something of that layer that may be pushed. */
  void offer(Repository repository, Digest manifest, Digest layer) {
    if (ports.recorder.indexes().has(layer)) {
      offer(repository, manifest);
    }
  }

  /** Waits until nothing is due or being pushed; whether that came in time. */
  public boolean awaitIdle(Duration atMost) throws InterruptedException {
    return queue.awaitIdle(atMost);
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void work() {
    try {
      while (true) {
        Image image = queue.take();
        boolean idle = ports.recorder.awaitIdle(RECORDING);
        LOG.debug("{}: all that streamed is recorded: {}", image, idle);
        publish(image, idle);
      }
    } catch (InterruptedException e) {
      LOG.debug("no more indexes are pushed");
    }
  }

  /**
   * @param idle whether all that streamed is recorded, so that what is missing will not come
   */
  private void publish(Image image, boolean idle) throws InterruptedException {
    try {
      Optional<Due> due = due(image, idle);
      if (due.isPresent() && !due.get().missing.isEmpty() && queue.failures(image) == 0) {
        later(image, "not all layers have one yet: " + due.get().missing);
        return;
      }
      if (due.isPresent() && !push(image.repository(), due.get())) {
        return;
      }
      queue.done(image);
    } catch (IOException | RuntimeException e) {
      later(image, e instanceof FetchException ? String.valueOf(e.getMessage()) : e.toString());
    }
  }

  private void later(Image image, String reason) {
    LOG.info(
        "the index of {} in {} is not pushed{}: {}",
        image.manifest(),
        image.repository(),
        queue
            .later(image)
            .map(pause -> ", but tried again in %d min".formatted(pause.toMinutes()))
            .orElse(""),
        reason);
  }

  /** Pushes, unless the registry does not let this node; whether it did. */
  private boolean push(Repository repository, Due due) throws IOException, InterruptedException {
    try {
      push(due.manifest, repository, due.indexes);
      return true;
    } catch (FetchException e) {
      boolean refusal =
          e.reason() == FetchException.Reason.UNAUTHORIZED || e.status() == NOT_ALLOWED;
      if (!refusal) {
        throw e;
      }
      queue.refused(repository);
      LOG.info(
          "indexes of images in {} are not pushed, the registry does not let this node: {}",
          repository,
          e.getMessage());
      return false;
    }
  }

  /**
   * What there is to push of an image.
   *
   * @param indexes what was made of each layer that an index can hold; empty only while layers
   *     stream that may be missing
   * @param missing layers of which nothing is written down: they stream yet, are lazy in another
   *     format, or were made room of
   */
  private record Due(
      Descriptor manifest, Map<Descriptor, OwnIndex> indexes, List<Digest> missing) {}

  /** Empty if there is nothing to push, or an index that has all of it. */
  private Optional<Due> due(Image image, boolean idle) throws IOException, InterruptedException {
    ImageReference reference = new ImageReference(image.repository(), null, image.manifest());
    Content content = ports.registry.resolve(reference);
    if (!(ports.registry.document(content) instanceof ImageDocument.Manifest manifest)) {
      return Optional.empty();
    }
    ImageConfig config =
        ports.registry.config(ports.registry.read(image.repository(), manifest.config()));
    if (config.diffIds().size() != manifest.layers().size()) {
      return Optional.empty();
    }
    Map<Descriptor, OwnIndex> indexes = new LinkedHashMap<>();
    List<Digest> missing = new ArrayList<>();
    Set<Digest> seen = new HashSet<>();
    for (int at = 0; at < manifest.layers().size(); at++) {
      Descriptor layer = manifest.layers().get(at);
      if (!seen.add(layer.digest())) {
        continue;
      }
      Optional<OwnIndex> own =
          ports.recorder.indexes().find(layer.digest(), config.diffIds().get(at));
      if (own.isEmpty()) {
        missing.add(layer.digest());
        continue;
      }
      Descriptor ztoc = own.get().ztoc();
      if (ztoc != null && SociIndexWriter.takes(ztoc)) {
        indexes.put(layer, own.get());
      }
    }
    LayerFormat.Image of = new LayerFormat.Image(reference, image.manifest(), manifest);
    boolean nothing = missing.isEmpty() || idle || queue.failures(image) > 0;
    if (indexes.isEmpty() ? nothing : has(of, indexes)) {
      LOG.debug("{}: there is nothing to push, or it is there already", reference);
      return Optional.empty();
    }
    return Optional.of(new Due(content.descriptor(), indexes, missing));
  }

  private boolean has(LayerFormat.Image image, Map<Descriptor, OwnIndex> indexes)
      throws IOException, InterruptedException {
    return new IndexList(ports.registry)
        .of(image).stream()
            .anyMatch(index ->
                indexes.keySet().stream()
                    .allMatch(layer -> index.ztoc(layer.digest()).isPresent()));
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
}
