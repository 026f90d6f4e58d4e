package sluice.formats.soci;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.ContentHasher;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;

/**
 * The indexes that this node made of layers which it streamed. They outlive images and devices,
 * which is what they are for: who has one need not stream the layer again. Safe for use by many
 * threads; the directory belongs to one process, others may read it.
 *
 * <p>Each is a file {@code <algorithm>-<digest of the layer>}, which appears whole or not at all.
 * When they are too many, those go that were not used for the longest time.
 */
public final class OwnIndexes {

  /** Files with such names are being made; what a crash leaves of them is removed at the start. */
  static final String UNFINISHED = ".new-";

  private static final Logger LOG = LoggerFactory.getLogger(OwnIndexes.class);

  private final Path directory;
  private final long maxBytes;
  private final InstantSource clock;
  private final boolean ours;
  private final VerifiedFiles verified = new VerifiedFiles();

  /** Held while files are added and removed. */
  private final ReentrantLock changing = new ReentrantLock();

  private OwnIndexes(Path directory, long maxBytes, InstantSource clock, boolean ours) {
    this.directory = directory;
    this.maxBytes = maxBytes;
    this.clock = clock;
    this.ours = ours;
  }

  /**
   * Opens those in a directory, which is made if it is not there.
   *
   * @param maxBytes how much all of them may take
   * @param clock says when one was used
   */
  public static OwnIndexes open(Path directory, long maxBytes, InstantSource clock)
      throws IOException {
    Files.createDirectories(directory);
    try (DirectoryStream<Path> unfinished = Files.newDirectoryStream(directory, UNFINISHED + "*")) {
      for (Path leftover : unfinished) {
        Files.delete(leftover);
      }
    }
    return new OwnIndexes(directory, maxBytes, clock, true);
  }

  /** Those of another process, of which nothing is changed, whatever they are. */
  public static OwnIndexes reading(Path directory) {
    return new OwnIndexes(directory, 0, InstantSource.system(), false);
  }

  /** Where they are. */
  Path directory() {
    return directory;
  }

  /**
   * What is known of a layer: only if the diff-id is the one that was verified, too. What cannot be
   * read is removed, and not there. The zTOC is hashed when this process first finds it, and again
   * if its file is another one then, or was written to.
   */
  public Optional<OwnIndex> find(Digest layer, Digest diffId) {
    Path file = file(layer);
    try (VerifiedFiles.Opened opened = verified.open(file)) {
      FileChannel channel = opened.channel();
      OwnIndex index = header(channel, file);
      if (!index.layer().equals(layer)) {
        throw new CorruptException("it is of layer " + index.layer(), file.toString(), 0);
      }
      if (!index.diffId().equals(diffId)) {
        LOG.warn(
            "layer {}: its index is not used: it is of diff-id {}, the image says {}",
            layer,
            index.diffId(),
            diffId);
        return Optional.empty();
      }
      Descriptor ztoc = index.ztoc();
      if (ztoc != null
          && !opened.isVerified()
          && !ContentHasher.matches(ztoc.digest(), map(channel, ztoc).asByteBuffer())) {
        throw new CorruptException("it is not what its digest says", file.toString(), -1);
      }
      opened.verified(() -> markUsed(file));
      return Optional.of(index);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (CorruptException e) {
      LOG.warn("the index of layer {} is not used: {}", layer, e.getMessage());
      remove(file);
      return Optional.empty();
    } catch (IOException e) {
      LOG.warn("the index of layer {} cannot be read: {}", layer, e.toString());
      return Optional.empty();
    }
  }

  /** Whether there is anything of that layer. */
  public boolean has(Digest layer) {
    return Files.exists(file(layer));
  }

  /**
   * The zTOC of an index that {@link #find} gave. It is mapped until nobody refers to the result,
   * also when it is removed meanwhile.
   *
   * @throws NoSuchFileException if it was removed before
   */
  MemorySegment ztoc(OwnIndex index) throws IOException {
    Path file = file(index.layer());
    Descriptor ztoc = index.ztoc();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (ztoc == null || !header(channel, file).equals(index)) {
        throw new NoSuchFileException(file.toString(), null, "there is another one meanwhile");
      }
      return map(channel, ztoc);
    }
  }

  /** The zTOC of an index that {@link #find} gave, as a stream that the caller closes. */
  public InputStream open(OwnIndex index) throws IOException {
    InputStream in = Files.newInputStream(file(index.layer()));
    in.skipNBytes(OwnIndex.HEADER_BYTES);
    return in;
  }

  /** A file to write a zTOC into, from its position on; {@link #publish} or delete it. */
  Path begin() throws IOException {
    return Files.createTempFile(directory, UNFINISHED, "");
  }

  /**
   * Takes a file that {@link #begin} made, and makes room.
   *
   * @param made holds the zTOC behind room for the header; closed by the caller
   */
  void publish(OwnIndex index, Path name, FileChannel made) throws IOException {
    made.write(index.header(), 0);
    made.force(true);
    changing.lock();
    try {
      Files.setLastModifiedTime(name, FileTime.from(clock.instant()));
      Files.move(name, file(index.layer()), StandardCopyOption.ATOMIC_MOVE);
      evict();
    } finally {
      changing.unlock();
    }
    try (FileChannel entries = FileChannel.open(directory, StandardOpenOption.READ)) {
      entries.force(true);
    }
  }

  private void evict() throws IOException {
    record Kept(Path file, long bytes, FileTime used) {}
    List<Kept> all = new ArrayList<>();
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(directory, file -> !isUnfinished(file))) {
      for (Path file : files) {
        all.add(new Kept(file, Files.size(file), Files.getLastModifiedTime(file)));
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    all.sort(Comparator.comparing(Kept::used));
    long bytes = all.stream().mapToLong(Kept::bytes).sum();
    for (Kept oldest : all) {
      if (bytes <= maxBytes) {
        return;
      }
      Files.deleteIfExists(oldest.file);
      bytes -= oldest.bytes;
      LOG.debug("index {} is removed to make room", oldest.file.getFileName());
    }
  }

  private static boolean isUnfinished(Path file) {
    return file.getFileName().toString().startsWith(UNFINISHED);
  }

  private static OwnIndex header(FileChannel channel, Path file) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(OwnIndex.HEADER_BYTES);
    while (header.hasRemaining() && channel.read(header, header.position()) >= 0) {
      // Until it is full, or the file ends.
    }
    return OwnIndex.read(header.array(), channel.size(), file.toString());
  }

  private static MemorySegment map(FileChannel channel, Descriptor ztoc) throws IOException {
    return channel.map(
        FileChannel.MapMode.READ_ONLY, OwnIndex.HEADER_BYTES, ztoc.sizeBytes(), Arena.ofAuto());
  }

  private void markUsed(Path file) throws IOException {
    if (ours) {
      Files.setLastModifiedTime(file, FileTime.from(clock.instant()));
    }
  }

  private void remove(Path file) {
    if (!ours) {
      return;
    }
    changing.lock();
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      LOG.warn("{} cannot be removed: {}", file, e.toString());
    } finally {
      changing.unlock();
    }
  }

  private Path file(Digest layer) {
    return directory.resolve(layer.algorithm().label() + "-" + layer.hex());
  }
}
