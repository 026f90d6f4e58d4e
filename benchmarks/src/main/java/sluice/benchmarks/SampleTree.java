package sluice.benchmarks;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.Placement;
import sluice.core.Repository;
import sluice.erofs.LayerTree;

/**
 * Many small files and a large one, written twice, byte for byte the same: as a plain directory,
 * and as an image whose device is all in the cache.
 */
final class SampleTree {

  static final String SMALL = "small";
  static final String LARGE = "large";
  static final int SMALL_FILES = 20_000;
  static final int SMALL_BYTES = 4096;
  static final long LARGE_BYTES = 1L << 30;

  private static final int FILES_PER_DIRECTORY = 100;

  /** Chunks of the large file, as converters make them. */
  private static final int CHUNK_BYTES = 1 << 20;

  /** Any: the content is to be the same in each run, and not to be compressible. */
  private static final long SEED = 20_000;

  private final Path plain;
  private final DeviceStore.Staged device;
  private final LayerTree tree = new LayerTree("benchmark");
  private final List<Chunk> chunks = new ArrayList<>();
  private final Random random = new Random(SEED);
  private long deviceLength;

  private SampleTree(Path plain, DeviceStore.Staged device) {
    this.plain = plain;
    this.device = device;
  }

  /**
   * Writes both.
   *
   * @param plain the plain directory, which does not exist yet
   * @param image the metadata image, which does not exist yet
   */
  static void write(Path plain, DeviceStore store, Path image) throws IOException {
    try (DeviceStore.Staged staged = store.stage()) {
      SampleTree sample = new SampleTree(Files.createDirectory(plain), staged);
      sample.writeLarge();
      sample.writeSmall();
      // Nobody asks the registry for this blob, so any digest of it will do.
      Digest blob = Digest.sha256(new byte[0]);
      DeviceIndex index = new DeviceIndex(blob, sample.deviceLength, sample.chunks);
      Set<Repository> holders = Set.of(new Repository.InLayout(plain));
      ImageFile.write(sample.tree, staged.finish(index, holders), image);
    }
  }

  /** Path of a small file below the tree's root. */
  static String smallFile(int number) {
    int directory = number / FILES_PER_DIRECTORY;
    return "%s/d%03d/f%02d".formatted(SMALL, directory, number % FILES_PER_DIRECTORY);
  }

  private void writeLarge() throws IOException {
    ImageFile.add(tree, LARGE, LARGE_BYTES, deviceLength);
    byte[] content = new byte[CHUNK_BYTES];
    try (OutputStream out = Files.newOutputStream(plain.resolve(LARGE))) {
      for (long at = 0; at < LARGE_BYTES; at += CHUNK_BYTES) {
        if (Thread.currentThread().isInterrupted()) {
          throw new InterruptedIOException("writing the sample tree");
        }
        random.nextBytes(content);
        out.write(content);
        store(content);
      }
    }
  }

  private void writeSmall() throws IOException {
    byte[] content = new byte[SMALL_BYTES];
    for (int i = 0; i < SMALL_FILES; i++) {
      String path = smallFile(i);
      ImageFile.add(tree, path, SMALL_BYTES, deviceLength);
      random.nextBytes(content);
      Path file = plain.resolve(path);
      Files.createDirectories(file.getParent());
      Files.write(file, content);
      store(content);
    }
  }

  /** Appends a chunk to the device. */
  private void store(byte[] content) throws IOException {
    device.write(ByteBuffer.wrap(content), deviceLength);
    Placement whole = new Placement(0, content.length, deviceLength, Digest.sha256(content));
    chunks.add(
        new Chunk(
            new ByteRange(deviceLength, content.length),
            new ChunkEncoding.Plain(),
            content.length,
            null,
            List.of(whole)));
    deviceLength += content.length;
  }
}
