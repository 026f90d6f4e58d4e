package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.Digest;

/**
 * Chains that are shown by the tree of a RAFS variant instead of by their own layers: one file for
 * each chain ID, which names the tree. Losing one costs no more than streaming the layers.
 */
final class WholeImages {

  private static final Logger LOG = LoggerFactory.getLogger(WholeImages.class);
  private static final int MAX_BYTES = 512;

  private final Path directory;

  WholeImages(Path directory) {
    this.directory = directory;
  }

  /** The tree that shows the chain whole. */
  Optional<LayerKey> find(Digest chainId) {
    Path file = file(chainId);
    try {
      if (Files.size(file) > MAX_BYTES) {
        return Optional.empty();
      }
      return LayerKey.parse(Files.readString(file).strip());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      LOG.warn("chain {}: its layers are streamed, its variant cannot be read: {}", chainId, e);
      return Optional.empty();
    }
  }

  void put(Digest chainId, LayerKey tree) throws IOException {
    Files.createDirectories(directory);
    Path made = Files.createTempFile(directory, ".new-", "");
    try {
      Files.writeString(made, tree + "\n");
      DurableFiles.sync(made);
      DurableFiles.publish(made, file(chainId));
    } finally {
      Files.deleteIfExists(made);
    }
  }

  Set<Digest> chains() throws IOException {
    Set<Digest> chains = new HashSet<>();
    if (!Files.isDirectory(directory)) {
      return chains;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "sha256_*")) {
      for (Path file : files) {
        chains.add(Digest.parse(file.getFileName().toString().replace('_', ':')));
      }
    } catch (IllegalArgumentException e) {
      throw new IOException(directory + ": " + e.getMessage(), e);
    }
    return chains;
  }

  void delete(Digest chainId) throws IOException {
    Files.deleteIfExists(file(chainId));
  }

  private Path file(Digest chainId) {
    return directory.resolve(chainId.toString().replace(':', '_'));
  }
}
