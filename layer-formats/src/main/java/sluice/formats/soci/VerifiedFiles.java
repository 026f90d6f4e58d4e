package sluice.formats.soci;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Which files were verified and have not changed since, as far as device, inode, size, and the
 * times of change say. Safe for use by many threads.
 */
final class VerifiedFiles {

  /** Layers of images in use; forgetting one costs hashing it again. */
  private static final int MAX_REMEMBERED = 4096;

  private static final String IDENTITY = "unix:dev,ino,size,ctime,lastModifiedTime";

  /** Guarded by itself. */
  private final Map<Path, Map<String, Object>> identities =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Path, Map<String, Object>> eldest) {
          return size() > MAX_REMEMBERED;
        }
      };

  /** What changes nothing of a file but its times. */
  @FunctionalInterface
  interface Touch {
    void touch() throws IOException;
  }

  /** Opens a file for reading; the caller closes it. */
  Opened open(Path file) throws IOException {
    Map<String, Object> before = identity(file);
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    try {
      return new Opened(file, channel, before);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static Map<String, Object> identity(Path file) throws IOException {
    return Map.copyOf(Files.readAttributes(file, IDENTITY));
  }

  /** One file while it is read. For one thread. */
  final class Opened implements Closeable {

    private final Path file;
    private final FileChannel channel;
    private final Map<String, Object> identity;
    private final boolean verified;

    private Opened(Path file, FileChannel channel, Map<String, Object> before) throws IOException {
      this.file = file;
      this.channel = channel;
      this.identity = before;
      // What has the name now must be what was opened.
      boolean same = before.equals(identity(file));
      synchronized (identities) {
        this.verified = same && before.equals(identities.get(file));
      }
    }

    FileChannel channel() {
      return channel;
    }

    /** Whether it was verified before and is still the same. */
    boolean isVerified() {
      return verified;
    }

    /**
     * Remembers that it is verified, unless it changed meanwhile.
     *
     * @param touch is run before
     */
    void verified(Touch touch) throws IOException {
      boolean same = identity.equals(identity(file));
      touch.touch();
      Map<String, Object> touched = identity(file);
      synchronized (identities) {
        if (same) {
          identities.put(file, touched);
        } else {
          identities.remove(file);
        }
      }
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
