package sluice.snapshotter.state;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The directories of snapshots, {@code snapshots/ID/fs} and {@code snapshots/ID/work}.
 *
 * <p>A directory is made under a name that begins with {@code new-} and renamed when it is whole. A
 * row in the store always comes before its directory: so what {@link #collect} finds without a row
 * belongs to no snapshot.
 */
final class SnapshotDirectories {

  private static final String UNFINISHED = "new-";

  /** Overlayfs parses the directories out of its option string, where these have a meaning. */
  private static final Pattern SPECIAL_IN_OPTIONS = Pattern.compile("[,:\\\\\"]");

  private final Path directory;
  private final Set<Path> beingMade = ConcurrentHashMap.newKeySet();

  /** One collection at a time: another would take what this one moves aside. */
  private final ReentrantLock collecting = new ReentrantLock();

  /**
   * @param directory parent of all; must not be readable for others, since set-id files lie below
   * @throws IllegalArgumentException if overlayfs cannot be given the path
   */
  SnapshotDirectories(Path directory) {
    Matcher special = SPECIAL_IN_OPTIONS.matcher(directory.toString());
    if (special.find()) {
      throw new IllegalArgumentException(
          "root directory: %s contains %s, which overlayfs cannot take; choose another --root"
              .formatted(directory, special.group()));
    }
    this.directory = directory;
  }

  Path files(long id) {
    return of(id).resolve("fs");
  }

  Path work(long id) {
    return of(id).resolve("work");
  }

  private Path of(long id) {
    return directory.resolve(Long.toString(id));
  }

  /**
   * Makes the directories of a snapshot.
   *
   * @param below root directory of what lies below: its owner, mode and time are taken over, since
   *     overlayfs shows those of the upper one; null if nothing lies below
   * @param labels may say how the owner is mapped for a user namespace
   */
  void make(long id, Kind kind, @Nullable Path below, Map<String, String> labels)
      throws IOException {
    Path unfinished = directory.resolve(UNFINISHED + UUID.randomUUID());
    beingMade.add(unfinished);
    try {
      Files.createDirectories(unfinished);
      Path files = Files.createDirectory(unfinished.resolve("fs"));
      Files.setPosixFilePermissions(files, PosixFilePermissions.fromString("rwxr-xr-x"));
      if (kind == Kind.ACTIVE) {
        Path work = Files.createDirectory(unfinished.resolve("work"));
        Files.setPosixFilePermissions(work, PosixFilePermissions.fromString("rwx--x--x"));
      }
      if (below != null) {
        copyAttributes(below, files, "gid", "uid", "mode", "lastModifiedTime");
      }
      mapOwner(files, "unix:uid", labels, IdMapping.UID_LABEL);
      mapOwner(files, "unix:gid", labels, IdMapping.GID_LABEL);
      Files.move(unfinished, of(id), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      deleteQuietly(unfinished, e);
      throw e;
    } finally {
      beingMade.remove(unfinished);
    }
  }

  /** Copies attributes of the Java platform's view "unix", in this order. */
  private static void copyAttributes(Path from, Path to, String... names) throws IOException {
    for (String name : names) {
      Files.setAttribute(to, "unix:" + name, Files.getAttribute(from, "unix:" + name));
    }
  }

  private static void mapOwner(
      Path files, String attribute, Map<String, String> labels, String label) throws IOException {
    Optional<IdMapping> mapping = IdMapping.of(labels, label);
    if (mapping.isPresent() && Files.getAttribute(files, attribute) instanceof Integer id) {
      Files.setAttribute(files, attribute, mapping.get().toHost(id));
    }
  }

  /** Whether the snapshot's directory is there. */
  boolean exists(long id) {
    return Files.isDirectory(files(id));
  }

  /**
   * Deletes every directory without a snapshot.
   *
   * @param ids asked after the directories were listed
   * @throws IOException after it tried all of them, if one could not be deleted
   */
  void collect(LiveIds ids) throws IOException {
    collecting.lock();
    try {
      collectAll(ids);
    } finally {
      collecting.unlock();
    }
  }

  private void collectAll(LiveIds ids) throws IOException {
    Map<Path, Long> found = new HashMap<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        found.put(entry, idOf(entry));
      }
    }
    Set<Path> unfinished = Set.copyOf(beingMade);
    Set<Long> live = ids.get();
    IOException failure = null;
    for (Map.Entry<Path, Long> entry : found.entrySet()) {
      if (live.contains(entry.getValue()) || unfinished.contains(entry.getKey())) {
        continue;
      }
      try {
        TreeRemoval.delete(entry.getKey(), UNFINISHED);
      } catch (IOException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** The ids of all snapshots. */
  @FunctionalInterface
  interface LiveIds {
    Set<Long> get() throws IOException;
  }

  /** The id that an entry is named after; -1, which is none, for any other entry. */
  private static long idOf(Path entry) {
    String name = String.valueOf(entry.getFileName());
    return name.matches("[1-9][0-9]{0,17}") ? Long.parseLong(name) : -1;
  }

  private static void deleteQuietly(Path tree, IOException cause) {
    try {
      TreeRemoval.delete(tree, UNFINISHED);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  /** What the snapshot's own files occupy. */
  Usage usage(long id) throws IOException {
    return DiskUsage.of(files(id));
  }
}
