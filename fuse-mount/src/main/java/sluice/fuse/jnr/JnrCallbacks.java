package sluice.fuse.jnr;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.Struct;
import org.jspecify.annotations.Nullable;
import ru.serce.jnrfuse.FuseFillDir;
import ru.serce.jnrfuse.FuseStubFS;
import ru.serce.jnrfuse.struct.FileStat;
import ru.serce.jnrfuse.struct.FuseFileInfo;
import ru.serce.jnrfuse.struct.Statvfs;
import sluice.core.Bytes;
import sluice.fuse.Failures;
import sluice.fuse.FuseListener;
import sluice.fuse.NodeAttributes;
import sluice.fuse.Opcode;
import sluice.fuse.ReadOnlyFileSystem;
import sluice.fuse.ReadOnlyFileSystem.Statistics;
import sluice.fuse.ReadPlan;
import sluice.linux.Errno;

/**
 * What libfuse calls, on threads of its own. A callback answers 0 or a length, or a negative errno,
 * and never throws. What it does not override, libfuse answers with ENOSYS; changes do not come so
 * far, for the mount is read-only.
 */
final class JnrCallbacks extends FuseStubFS {

  /** Answers a request, with 0 or a length, or a negative errno. */
  @FunctionalInterface
  private interface Answer {
    int answer() throws IOException;
  }

  private final ReadOnlyFileSystem files;
  private final JnrReads reads;
  private final FuseListener listener;
  private final CountDownLatch begun = new CountDownLatch(1);

  JnrCallbacks(ReadOnlyFileSystem files, JnrReads reads, FuseListener listener) {
    this.files = files;
    this.reads = reads;
    this.listener = listener;
  }

  /** Open until the kernel has begun the session. */
  CountDownLatch begun() {
    return begun;
  }

  /** Keeps jnr-fuse's shutdown hook from unmounting what another process may have mounted since. */
  void forgetMount() {
    mounted.set(false);
  }

  @Override
  public @Nullable Pointer init(Pointer connection) {
    begun.countDown();
    return null;
  }

  @Override
  public int getattr(String path, FileStat stat) {
    return answer(
        Opcode.GETATTR,
        path,
        () -> {
          if (path.length() - path.lastIndexOf('/') - 1 > Statistics.MAX_NAME_BYTES) {
            return -Errno.ENAMETOOLONG;
          }
          long node = resolve(path);
          if (node == ReadOnlyFileSystem.NO_NODE) {
            return -Errno.ENOENT;
          }
          fill(stat, files.attributes(node));
          return 0;
        });
  }

  @Override
  public int open(String path, FuseFileInfo info) {
    return remember(Opcode.OPEN, path, info);
  }

  @Override
  public int opendir(String path, FuseFileInfo info) {
    return remember(Opcode.OPENDIR, path, info);
  }

  /** Keeps the node as the file handle, so that no read walks the path again. */
  private int remember(Opcode opcode, String path, FuseFileInfo info) {
    return answer(
        opcode,
        path,
        () -> {
          long node = resolve(path);
          if (node == ReadOnlyFileSystem.NO_NODE) {
            return -Errno.ENOENT;
          }
          info.fh.set(node);
          return 0;
        });
  }

  @Override
  public int read(String path, Pointer buffer, long size, long offset, FuseFileInfo info) {
    long node = info.fh.get();
    int length = (int) Math.min(size, Integer.MAX_VALUE);
    return answer(
        Opcode.READ,
        path,
        () -> {
          ReadPlan plan = files.plan(node, offset, length);
          return reads.read(plan, segment(buffer, length), () -> getContext().pid.intValue());
        });
  }

  @Override
  public int readdir(
      String path, Pointer buffer, FuseFillDir filler, long offset, FuseFileInfo info) {
    long node = info.fh.get();
    return answer(
        Opcode.READDIR,
        path,
        () -> {
          FileStat stat = new FileStat(Runtime.getSystemRuntime());
          files.list(
              node,
              offset,
              (next, child, ino, type, name) -> {
                stat.st_ino.set(ino);
                stat.st_mode.set(type << 12);
                return filler.apply(buffer, terminated(name), Struct.getMemory(stat), next) == 0;
              });
          return 0;
        });
  }

  @Override
  public int readlink(String path, Pointer buffer, long size) {
    return answer(
        Opcode.READLINK,
        path,
        () -> {
          byte[] target = files.linkTarget(resolve(path)).toArray();
          int length = (int) Math.min(target.length, size - 1);
          buffer.put(0, target, 0, length);
          buffer.putByte(length, (byte) 0);
          return 0;
        });
  }

  @Override
  public int getxattr(String path, String name, Pointer buffer, long size) {
    return answer(
        Opcode.GETXATTR,
        path,
        () -> {
          long node = resolve(path);
          Bytes wanted = Bytes.utf8(name);
          Bytes value = files.xattr(node, wanted);
          if (value == null) {
            return files.supportsXattr(node, wanted) ? -Errno.ENODATA : -Errno.EOPNOTSUPP;
          }
          return sized(value.toArray(), buffer, size);
        });
  }

  @Override
  public int listxattr(String path, Pointer buffer, long size) {
    return answer(
        Opcode.LISTXATTR,
        path,
        () -> {
          Set<Bytes> names = files.xattrNames(resolve(path));
          int length = names.stream().mapToInt(name -> name.length() + 1).sum();
          ByteBuffer list = ByteBuffer.allocate(length);
          names.forEach(name -> list.put(name.asBuffer()).put((byte) 0));
          return sized(list.array(), buffer, size);
        });
  }

  @Override
  public int statfs(String path, Statvfs statvfs) {
    return answer(
        Opcode.STATFS,
        path,
        () -> {
          Statistics statistics = files.statistics();
          statvfs.f_bsize.set(Statistics.BLOCK_BYTES);
          statvfs.f_frsize.set(Statistics.BLOCK_BYTES);
          statvfs.f_blocks.set(statistics.blocks());
          statvfs.f_files.set(statistics.files());
          statvfs.f_namemax.set(Statistics.MAX_NAME_BYTES);
          return 0;
        });
  }

  private int answer(Opcode opcode, String path, Answer answer) {
    long taken = System.nanoTime();
    int result;
    try {
      result = answer.answer();
    } catch (IOException | RuntimeException | Error e) {
      result = -Failures.ofRequest(opcode.label() + ' ' + path, e);
    }
    long nanos = System.nanoTime() - taken;
    listener.answered(opcode.label(), result < 0 ? -result : 0, nanos);
    return result;
  }

  /** The node of an absolute path, or {@link ReadOnlyFileSystem#NO_NODE}. */
  private long resolve(String path) throws IOException {
    byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
    long node = ReadOnlyFileSystem.ROOT_NODE;
    for (int from = 1; from < bytes.length && node != ReadOnlyFileSystem.NO_NODE; ) {
      int end = from;
      while (end < bytes.length && bytes[end] != '/') {
        end++;
      }
      node = files.lookup(node, Bytes.of(bytes, from, end - from));
      from = end + 1;
    }
    return node;
  }

  private static void fill(FileStat stat, NodeAttributes a) {
    stat.st_ino.set(a.ino());
    stat.st_mode.set(a.mode());
    stat.st_nlink.set(a.nlink());
    stat.st_uid.set(a.uid());
    stat.st_gid.set(a.gid());
    stat.st_rdev.set(a.rdev());
    stat.st_size.set(a.sizeBytes());
    stat.st_blksize.set(Statistics.BLOCK_BYTES);
    stat.st_blocks.set(a.blocks());
    stat.st_atim.tv_sec.set(a.mtimeSeconds());
    stat.st_atim.tv_nsec.set(a.mtimeNanos());
    stat.st_mtim.tv_sec.set(a.mtimeSeconds());
    stat.st_mtim.tv_nsec.set(a.mtimeNanos());
    stat.st_ctim.tv_sec.set(a.mtimeSeconds());
    stat.st_ctim.tv_nsec.set(a.mtimeNanos());
  }

  /** A value of an attribute, or its length where no room is given for it. */
  private static int sized(byte[] value, Pointer buffer, long size) {
    if (size > 0) {
      if (value.length > size) {
        return -Errno.ERANGE;
      }
      buffer.put(0, value, 0, value.length);
    }
    return value.length;
  }

  private static ByteBuffer terminated(Bytes name) {
    return ByteBuffer.allocate(name.length() + 1).put(name.asBuffer()).put((byte) 0).flip();
  }

  @SuppressWarnings("restricted") // libfuse's buffer, as long as it says
  private static MemorySegment segment(Pointer buffer, int lengthBytes) {
    return MemorySegment.ofAddress(buffer.address()).reinterpret(lengthBytes);
  }
}
