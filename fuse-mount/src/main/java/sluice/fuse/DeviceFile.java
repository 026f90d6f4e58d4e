package sluice.fuse;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import sluice.core.LazyDevice;
import sluice.linux.Errno;
import sluice.linux.Linux;
import sluice.linux.LinuxException;

/**
 * The file of one device, read with {@code pread}. Opened by the first read: an image may name tens
 * of thousands of devices, and a process may open as many files as its {@code RLIMIT_NOFILE} says.
 * Safe for use by many threads; {@link DeviceFiles} makes and closes it.
 */
final class DeviceFile {

  private final LazyDevice device;

  /** -1 until the first read; written under this object's lock. */
  private volatile int fd = -1;

  /** Set where the file's system has no {@code RWF_NOWAIT} (tmpfs): every read goes to the pool. */
  private volatile boolean mayBlock;

  DeviceFile(LazyDevice device) {
    this.device = device;
  }

  LazyDevice device() {
    return device;
  }

  boolean present(long offset, long lengthBytes) {
    return device.present(offset, lengthBytes);
  }

  /** Fills {@code into} from the page cache; false if it does not hold all of it. */
  boolean readCached(MemorySegment into, long offset) throws IOException {
    if (mayBlock) {
      return false;
    }
    long count = Linux.preadNoWait(opened(), into, into.byteSize(), offset);
    if (count >= 0) {
      return count == into.byteSize();
    }
    return switch ((int) -count) {
      case Errno.EAGAIN, Errno.EINTR -> false;
      case Errno.EOPNOTSUPP -> {
        mayBlock = true;
        yield false;
      }
      default -> throw failed(offset, (int) -count);
    };
  }

  /** Fills {@code into}, waiting for the disk. */
  void read(MemorySegment into, long offset) throws IOException {
    long done = 0;
    while (done < into.byteSize()) {
      long count = Linux.pread(opened(), into.asSlice(done), into.byteSize() - done, offset + done);
      if (count == 0) {
        throw new EOFException(
            "device file %s: ends before offset %d, expected length %d; remove it and mount again"
                .formatted(device.file(), offset + done, device.lengthBytes()));
      }
      if (count < 0 && -count != Errno.EINTR) {
        throw failed(offset + done, (int) -count);
      }
      done += Math.max(count, 0);
    }
  }

  /** Closes the file. No read may be under way or follow. */
  synchronized void close() {
    if (fd >= 0) {
      Linux.close(fd);
      fd = -1;
    }
  }

  private int opened() throws LinuxException {
    int known = fd;
    return known >= 0 ? known : open();
  }

  private synchronized int open() throws LinuxException {
    if (fd < 0) {
      fd = Linux.open(device.file(), Linux.O_RDONLY | Linux.O_CLOEXEC);
    }
    return fd;
  }

  private LinuxException failed(long offset, int errno) {
    return new LinuxException("pread(%s, offset %d)".formatted(device.file(), offset), errno);
  }

  @Override
  public String toString() {
    return "device " + device.id();
  }
}
