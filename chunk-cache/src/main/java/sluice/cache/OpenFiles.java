package sluice.cache;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The data and presence files of devices, kept open while they are used and, up to a bound, after
 * that: a node has thousands of devices and far fewer file descriptors. Safe for use by many
 * threads, none of which may be interrupted while it uses a channel: that would close it for all.
 */
final class OpenFiles implements Closeable {

  private final int bound;

  /** Guards everything below; held while files are opened and closed. */
  private final ReentrantLock lock = new ReentrantLock();

  /** By directory, the longest unused first. */
  private final Map<Path, Handle> handles = new LinkedHashMap<>(16, 0.75f, true);

  OpenFiles(int bound) {
    this.bound = bound;
  }

  /** The open files of one device. Closing it ends one use. */
  final class Handle implements Closeable {
    private final FileChannel data;
    private final FileChannel presence;
    private int users;
    private boolean dropped;

    private Handle(FileChannel data, FileChannel presence) {
      this.data = data;
      this.presence = presence;
    }

    FileChannel data() {
      return data;
    }

    FileChannel presence() {
      return presence;
    }

    @Override
    public void close() throws IOException {
      lock.lock();
      try {
        users--;
        if (dropped && users == 0) {
          closeFiles(this);
        }
        evict();
      } finally {
        lock.unlock();
      }
    }
  }

  /** The files of the device in {@code directory}; the caller closes the result. */
  Handle acquire(Path directory) throws IOException {
    lock.lock();
    try {
      Handle handle = handles.get(directory);
      if (handle == null) {
        handle = open(directory);
        handles.put(directory, handle);
      }
      handle.users++;
      evict();
      return handle;
    } finally {
      lock.unlock();
    }
  }

  /** Closes a device's files, those in use when their last user is done. */
  void drop(Path directory) throws IOException {
    lock.lock();
    try {
      Handle handle = handles.remove(directory);
      if (handle != null) {
        handle.dropped = true;
        if (handle.users == 0) {
          closeFiles(handle);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** Closes all files. */
  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      for (Handle handle : handles.values()) {
        closeFiles(handle);
      }
      handles.clear();
    } finally {
      lock.unlock();
    }
  }

  private Handle open(Path directory) throws IOException {
    FileChannel data = openFile(directory.resolve(DeviceFiles.DATA));
    try {
      return new Handle(data, openFile(directory.resolve(DeviceFiles.PRESENCE)));
    } catch (IOException e) {
      try (data) {
        throw e;
      }
    }
  }

  private static FileChannel openFile(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private void evict() throws IOException {
    int tooMany = handles.size() - bound;
    Iterator<Handle> oldest = handles.values().iterator();
    while (tooMany > 0 && oldest.hasNext()) {
      Handle handle = oldest.next();
      if (handle.users == 0) {
        oldest.remove();
        closeFiles(handle);
        tooMany--;
      }
    }
  }

  private static void closeFiles(Handle handle) throws IOException {
    try (FileChannel _ = handle.data;
        FileChannel _ = handle.presence) {
      // Both are closed, whichever of them fails.
      return;
    }
  }
}
