package sluice.cache;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.DeviceIndex;
import sluice.core.Repository;

/** The files in the directory of one device. */
final class DeviceFiles {

  /** The sparse file, as long as the device. */
  static final String DATA = "data";

  /** The {@link ChunkTable}. */
  static final String CHUNKS = "chunks";

  /** The {@link Presence}. */
  static final String PRESENCE = "presence";

  /** The {@link DigestIndex}. */
  static final String DIGESTS = "digests";

  /** The repositories that hold the blob, one a line. */
  static final String HOLDERS = "holders";

  private DeviceFiles() {}

  /**
   * Writes all files into {@code directory}, synced except the data, which is there already if the
   * device was staged.
   *
   * @return the id that the device has by its chunk table
   * @throws CorruptException if the index breaks a rule
   */
  static DeviceId write(
      Path directory, DeviceIndex index, Set<Repository> holders, boolean present, UUID boot)
      throws IOException {
    Path chunks = directory.resolve(CHUNKS);
    try (FileChannel out = create(chunks)) {
      ChunkTableWriter.write(index, out);
      out.force(true);
    }
    ChunkTable table = ChunkTable.of(ChunkTable.map(chunks), "index of blob " + index.blob());
    try (FileChannel out = create(directory.resolve(DIGESTS))) {
      // Not synced: it can be made again from the table, and is, if its length is wrong.
      DigestIndex.write(table, out);
    }
    setLength(directory.resolve(DATA), index.lengthBytes());
    Presence.create(directory.resolve(PRESENCE), table.chunkCount(), present, boot);
    writeHolders(directory, holders);
    Disk.syncDirectory(directory);
    return TableChecks.idOf(ChunkTable.map(chunks));
  }

  /** Makes the file exactly that long; what is new is a hole. */
  static void setLength(Path data, long lengthBytes) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(data.toFile(), "rw")) {
      file.setLength(lengthBytes);
    }
  }

  static void writeHolders(Path directory, Set<Repository> holders) throws IOException {
    List<String> lines = holders.stream().map(Repository::toString).sorted().toList();
    Disk.replace(directory.resolve(HOLDERS), lines);
  }

  static Set<Repository> readHolders(Path directory) throws IOException {
    Path file = directory.resolve(HOLDERS);
    try {
      return Files.readAllLines(file).stream()
          .map(Repository::parse)
          .collect(Collectors.toUnmodifiableSet());
    } catch (IllegalArgumentException e) {
      CorruptException corrupt =
          new CorruptException("holders: " + e.getMessage(), file.toString(), -1);
      corrupt.initCause(e);
      throw corrupt;
    }
  }

  private static FileChannel create(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }
}
