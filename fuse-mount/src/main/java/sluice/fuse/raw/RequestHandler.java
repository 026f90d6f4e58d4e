package sluice.fuse.raw;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.Bytes;
import sluice.fuse.Failures;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseRequest;
import sluice.fuse.ReadOnlyFileSystem;
import sluice.fuse.ReadPlan;
import sluice.linux.Errno;

/**
 * Answers requests from a file system. Safe for use by many threads, each with its own reply.
 *
 * <p>Inside, an answer is the number of bytes that were put into the body of the reply, or a
 * negative errno, or {@link #NO_ANSWER}.
 */
final class RequestHandler {

  private static final Logger LOG = LoggerFactory.getLogger(RequestHandler.class);

  /** How long the kernel may keep what never changes: a year, as good as for ever. */
  private static final long LASTING_SECONDS = 365L * 24 * 60 * 60;

  /** Answered by another thread later, or not at all. */
  private static final long NO_ANSWER = Long.MIN_VALUE;

  /** {@code struct fuse_getxattr_out}: u32 size, padding; {@code struct fuse_lseek_out}: u64. */
  private static final int SIZE_OUT_BYTES = 8;

  // lseek(2), linux/fs.h
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;

  private final ReadOnlyFileSystem files;
  private final DiskPool disk;
  private final Misses misses;
  private final FuseListener listener;
  private final int pageBytes;
  private final int maxReadBytes;

  /** A permit for each thread that takes requests but one, which answers what needs no disk. */
  private final Semaphore mayWait;

  private final CompletableFuture<InitOut> agreed = new CompletableFuture<>();

  RequestHandler(
      ReadOnlyFileSystem files,
      DiskPool disk,
      Misses misses,
      FuseListener listener,
      int pageBytes,
      int maxReadBytes,
      int readers) {
    this.files = files;
    this.disk = disk;
    this.misses = misses;
    this.listener = listener;
    this.pageBytes = pageBytes;
    this.maxReadBytes = maxReadBytes;
    this.mayWait = new Semaphore(readers - 1);
  }

  /** What INIT agreed on; fails if kernel and we can't agree. */
  CompletableFuture<InitOut> agreed() {
    return agreed;
  }

  /** Answers one request, or sees to it that another thread does. */
  void handle(FuseRequest request, Reply reply, long takenNanos) throws IOException {
    long answer;
    try {
      answer = answer(request, reply, takenNanos);
    } catch (IOException | RuntimeException | Error e) {
      answer = -Failures.ofRequest(request, e);
    }
    if (answer == NO_ANSWER) {
      return;
    }
    int errno = answer < 0 ? (int) -answer : 0;
    if (errno == 0) {
      reply.send(request.unique(), answer);
    } else {
      reply.fail(request.unique(), errno);
    }
    long nanos = System.nanoTime() - takenNanos;
    listener.answered(request.opcode().label(), errno, nanos);
    if (request instanceof FuseRequest.Read && errno == 0) {
      listener.read(FuseListener.Source.MEMORY, (int) answer, nanos);
    }
    LOG.trace("{}: errno {} after {} ns", request, errno, nanos);
  }

  private long answer(FuseRequest request, Reply reply, long takenNanos) throws IOException {
    MemorySegment body = reply.body();
    return switch (request) {
      case FuseRequest.Read read -> read(read, reply, takenNanos);
      case FuseRequest.Lookup lookup -> lookup(lookup, body);
      case FuseRequest.GetAttr getAttr -> attributes(getAttr, body);
      case FuseRequest.ReadDirPlus list -> {
        MemorySegment room = room(body, list.sizeBytes());
        yield new Listing(files, list.node(), room, LASTING_SECONDS).withAttributes(list.cookie());
      }
      case FuseRequest.ReadDir list -> {
        MemorySegment room = room(body, list.sizeBytes());
        yield new Listing(files, list.node(), room, LASTING_SECONDS).plain(list.cookie());
      }
      case FuseRequest.ReadLink readLink -> put(body, files.linkTarget(readLink.node()));
      case FuseRequest.GetXattr get -> xattr(get, body);
      case FuseRequest.ListXattr list -> xattrNames(list, body);
      case FuseRequest.StatFs statFs -> {
        StatFsOut.write(body, 0, files.statistics());
        yield StatFsOut.BYTES;
      }
      case FuseRequest.Lseek seek -> seek(seek, body);
      case FuseRequest.Forget forget -> {
        files.forget(forget.node(), forget.references());
        yield NO_ANSWER;
      }
      case FuseRequest.BatchForget batch -> {
        for (FuseRequest.Forget forget : batch.forgets()) {
          files.forget(forget.node(), forget.references());
        }
        yield NO_ANSWER;
      }
      case FuseRequest.Interrupt interrupt -> {
        misses.interrupt(interrupt.target());
        yield NO_ANSWER;
      }
      case FuseRequest.Init init -> init(init, body);
      case FuseRequest.Destroy destroy -> 0;
      case FuseRequest.Done done -> 0;
      case FuseRequest.Change change -> -Errno.EROFS;
      case FuseRequest.Ioctl ioctl -> -Errno.ENOTTY;
      case FuseRequest.Declined declined -> -Errno.ENOSYS;
    };
  }

  private long init(FuseRequest.Init offer, MemorySegment body) {
    try {
      InitOut answer = Handshake.answer(offer, pageBytes, maxReadBytes, files.holdsAcls());
      answer.write(body, 0);
      agreed.complete(answer);
      return InitOut.BYTES;
    } catch (IOException e) {
      agreed.completeExceptionally(e);
      return -Errno.EPROTO;
    }
  }

  private long read(FuseRequest.Read read, Reply reply, long takenNanos) throws IOException {
    if (read.sizeBytes() < 0 || read.sizeBytes() > maxReadBytes || read.offset() < 0) {
      return -Errno.EINVAL;
    }
    ReadPlan plan = files.plan(read.node(), read.offset(), read.sizeBytes());
    if (!plan.present()) {
      misses.begin(read, plan, takenNanos);
      return NO_ANSWER;
    }
    try {
      if (plan.readCached(reply.body())) {
        return plan.lengthBytes();
      }
    } catch (IOException | Error e) {
      return -Failures.ofRead(plan, e);
    }
    // Handing a read over to another thread costs more than a fast disk takes for it.
    if (mayWait.tryAcquire()) {
      try {
        disk.answerHere(read, plan, FuseListener.Source.DISK, takenNanos, reply);
      } finally {
        mayWait.release();
      }
    } else {
      disk.answer(read, plan, FuseListener.Source.DISK, takenNanos);
    }
    return NO_ANSWER;
  }

  private long lookup(FuseRequest.Lookup lookup, MemorySegment body) throws IOException {
    if (lookup.name().length() > ReadOnlyFileSystem.Statistics.MAX_NAME_BYTES) {
      return -Errno.ENAMETOOLONG;
    }
    boolean lasting = files.lasting(lookup.node());
    long node = files.lookup(lookup.node(), lookup.name());
    if (node == ReadOnlyFileSystem.NO_NODE || !files.retain(node)) {
      if (!lasting) {
        return -Errno.ENOENT;
      }
      // Unlike an error, an entry of node 0 may be kept: the name stays absent.
      EntryOut.writeNone(body, 0, LASTING_SECONDS);
      return EntryOut.BYTES;
    }
    try {
      long entrySeconds = lasting ? LASTING_SECONDS : 0;
      EntryOut.write(body, 0, node, entrySeconds, LASTING_SECONDS, files.attributes(node));
    } catch (IOException | RuntimeException e) {
      files.forget(node, 1);
      throw e;
    }
    return EntryOut.BYTES;
  }

  private long attributes(FuseRequest.GetAttr request, MemorySegment body) throws IOException {
    long seconds = files.lasting(request.node()) ? LASTING_SECONDS : 0;
    AttrOut.write(body, 0, seconds, files.attributes(request.node()));
    return AttrOut.BYTES;
  }

  private long xattr(FuseRequest.GetXattr request, MemorySegment body) throws IOException {
    @Nullable Bytes value = files.xattr(request.node(), request.name());
    if (value == null) {
      boolean supported = files.supportsXattr(request.node(), request.name());
      return supported ? -Errno.ENODATA : -Errno.EOPNOTSUPP;
    }
    if (request.sizeBytes() == 0) {
      return putSize(body, value.length());
    }
    if (value.length() > request.sizeBytes()) {
      return -Errno.ERANGE;
    }
    return put(body, value);
  }

  /** The names, each with a NUL after it (listxattr(2)). */
  private long xattrNames(FuseRequest.ListXattr request, MemorySegment body) throws IOException {
    Set<Bytes> names = files.xattrNames(request.node());
    long length = 0;
    for (Bytes name : names) {
      length += name.length() + 1;
    }
    if (request.sizeBytes() == 0) {
      return putSize(body, length);
    }
    if (length > request.sizeBytes() || length > body.byteSize()) {
      return -Errno.ERANGE;
    }
    long at = 0;
    for (Bytes name : names) {
      Dirent.put(body, at, name);
      body.set(ValueLayout.JAVA_BYTE, at + name.length(), (byte) 0);
      at += name.length() + 1;
    }
    return at;
  }

  private long seek(FuseRequest.Lseek request, MemorySegment body) throws IOException {
    boolean data = request.whence() == SEEK_DATA;
    if (!(data || request.whence() == SEEK_HOLE) || request.offset() < 0) {
      return -Errno.EINVAL;
    }
    OptionalLong found = files.seek(request.node(), request.offset(), data);
    if (found.isEmpty()) {
      return -Errno.ENXIO;
    }
    Wire.put64(body, 0, found.getAsLong());
    return SIZE_OUT_BYTES;
  }

  private static long putSize(MemorySegment body, long size) {
    Wire.put32(body, 0, size);
    Wire.put32(body, 4, 0);
    return SIZE_OUT_BYTES;
  }

  private static long put(MemorySegment body, Bytes bytes) {
    Dirent.put(body, 0, bytes);
    return bytes.length();
  }

  /** The part of the body that the kernel has room for. */
  private static MemorySegment room(MemorySegment body, int sizeBytes) {
    return body.asSlice(0, Math.min(body.byteSize(), Integer.toUnsignedLong(sizeBytes)));
  }
}
