package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.erofs.DirectoryWalk;

/**
 * Merged images, one for each chain: {@code <key>.erofs}, and {@code <key>.layers}, which names the
 * layers that went into it, one a line. Cache entries: each can be made again from its layers. Safe
 * for use by many threads.
 */
public final class ChainLibrary {

  private static final Logger LOG = LoggerFactory.getLogger(ChainLibrary.class);
  private static final String UNFINISHED = ".new-";
  private static final String IMAGE = ".erofs";
  private static final String LAYERS = ".layers";

  private final Path directory;
  private final DirectoryWalk walk;
  private final SingleFlight<ChainKey, Path> flights;

  private ChainLibrary(Path directory, DirectoryWalk walk, ExecutorService workers) {
    this.directory = directory;
    this.walk = walk;
    this.flights = new SingleFlight<>(workers);
  }

  /**
   * Opens the library in {@code directory}, which is made if it is not there.
   *
   * @param walk looks into unpacked layers below merged ones
   */
  public static ChainLibrary open(Path directory, DirectoryWalk walk, ExecutorService workers)
      throws IOException {
    Files.createDirectories(directory);
    try (DirectoryStream<Path> unfinished = Files.newDirectoryStream(directory, UNFINISHED + "*")) {
      for (Path leftover : unfinished) {
        Files.delete(leftover);
      }
    }
    return new ChainLibrary(directory, walk, workers);
  }

  /** Begins to merge, or joins those who do, or finds the image merged. */
  Future<Path> merge(ChainKey key, MergeInput input) {
    return flights.join(key, () -> merged(key, input));
  }

  /** Where the merged image is; it may not be there. */
  Path image(ChainKey key) {
    return directory.resolve(key + IMAGE);
  }

  /** Whether the image is merged. */
  boolean has(ChainKey key) {
    return Files.isRegularFile(image(key));
  }

  /** The keys of all merged images. */
  Set<ChainKey> keys() throws IOException {
    Set<ChainKey> keys = new HashSet<>();
    try (DirectoryStream<Path> images = Files.newDirectoryStream(directory, "*" + IMAGE)) {
      for (Path image : images) {
        String name = image.getFileName().toString();
        String key = name.substring(0, name.length() - IMAGE.length());
        if (ChainKey.isOne(key)) {
          keys.add(new ChainKey(key));
        }
      }
    }
    return keys;
  }

  /**
   * The layers that went into a merged image; empty if that cannot be said, or if a directory that
   * is no layer of the library went into it too.
   */
  Optional<List<LayerKey>> layers(ChainKey key) {
    try {
      List<String> lines = Files.readAllLines(directory.resolve(key + LAYERS));
      List<LayerKey> keys = lines.stream().flatMap(line -> LayerKey.parse(line).stream()).toList();
      return keys.size() == lines.size() ? Optional.of(keys) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  void delete(ChainKey key) throws IOException {
    Files.deleteIfExists(image(key));
    Files.deleteIfExists(directory.resolve(key + LAYERS));
  }

  private Path merged(ChainKey key, MergeInput input) throws IOException {
    Path image = image(key);
    if (has(key)) {
      return image;
    }
    Path made = directory.resolve(UNFINISHED + key);
    Path names = directory.resolve(UNFINISHED + key + LAYERS);
    try {
      LayerMerge.merge(input, walk, made);
      DurableFiles.sync(made);
      Files.writeString(names, names(input), StandardCharsets.UTF_8);
      DurableFiles.sync(names);
      DurableFiles.publish(names, directory.resolve(key + LAYERS));
      DurableFiles.publish(made, image);
      LOG.debug("chain {}: {} layers merged", key, input.layers().size());
      return image;
    } finally {
      Files.deleteIfExists(made);
      Files.deleteIfExists(names);
    }
  }

  private static String names(MergeInput input) {
    StringBuilder names = new StringBuilder();
    for (MergeInput.Below below : input.below()) {
      names.append(below.name()).append('\n');
    }
    for (KeptLayer layer : input.layers()) {
      names.append(layer.key()).append('\n');
    }
    return names.toString();
  }
}
