package sluice.snapshotter.state;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Counts what a tree occupies on disk, each inode once, however many links it has. */
final class DiskUsage extends SimpleFileVisitor<Path> {

  /** Files up to one block of ext4, xfs and btrfs occupy one, so they need not be asked. */
  private static final long BLOCK_BYTES = 4096;

  private final Set<Object> linked = new HashSet<>();
  private long bytes;
  private long inodes;

  private DiskUsage() {}

  static Usage of(Path tree) throws IOException {
    DiskUsage count = new DiskUsage();
    Files.walkFileTree(tree, count);
    return new Usage(count.bytes, count.inodes);
  }

  @Override
  public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
    inodes++;
    bytes += blocks(attributes);
    return FileVisitResult.CONTINUE;
  }

  @Override
  public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
    if (!firstLink(file)) {
      return FileVisitResult.CONTINUE;
    }
    inodes++;
    if (attributes.isRegularFile()) {
      bytes += attributes.size() <= BLOCK_BYTES ? blocks(attributes) : onDisk(file);
    }
    return FileVisitResult.CONTINUE;
  }

  /** A container may delete files while they are counted. */
  @Override
  public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
    if (e instanceof NoSuchFileException) {
      return FileVisitResult.CONTINUE;
    }
    throw e;
  }

  private boolean firstLink(Path file) throws IOException {
    try {
      Map<String, Object> attributes =
          Files.readAttributes(file, "unix:nlink,ino,dev", LinkOption.NOFOLLOW_LINKS);
      return (attributes.get("nlink") instanceof Integer links && links == 1)
          || linked.add(Map.entry(attributes.get("dev"), attributes.get("ino")));
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private static long onDisk(Path file) throws IOException {
    try {
      return FileBlocks.occupiedBytes(file);
    } catch (NoSuchFileException e) {
      return 0;
    }
  }

  private static long blocks(BasicFileAttributes attributes) {
    return Math.ceilDiv(attributes.size(), BLOCK_BYTES) * BLOCK_BYTES;
  }
}
