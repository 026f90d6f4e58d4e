package sluice.fuse.raw;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.Bytes;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseMounts;
import sluice.fuse.FuseOptions;
import sluice.fuse.FuseRequest;
import sluice.fuse.FuseSession;
import sluice.fuse.Opcode;
import sluice.fuse.ReadOnlyFileSystem;
import sluice.linux.Errno;
import sluice.linux.Linux;

/**
 * One FUSE mount, its file descriptor and the threads that answer it. Safe for use by many threads.
 *
 * <p>No thread of this JVM may map or execute a file of the mount: a page fault holds up a
 * safepoint, for which the threads that would answer it wait.
 */
public final class RawFuseSession implements FuseSession {

  private static final Logger LOG = LoggerFactory.getLogger(RawFuseSession.class);

  /** The most that the kernel may ask for by one READ: 256 pages of 4 KiB, its own limit. */
  static final int MAX_READ_BYTES = 1 << 20;

  /**
   * Room for a request. The kernel wants 8 KiB and more than the longest WRITE; BATCH_FORGET fills
   * what there is.
   */
  private static final int REQUEST_BYTES = 64 << 10;

  /** The kernel's INIT comes at once; this says that something is broken. */
  private static final Duration INIT_PATIENCE = Duration.ofSeconds(10);

  /** How long each step of closing may take before what is still in use is left open. */
  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(5);

  // enum fuse_notify_code
  private static final int NOTIFY_INVAL_INODE = 2;
  private static final int NOTIFY_INVAL_ENTRY = 3;

  private final Path target;
  private final ReadOnlyFileSystem files;
  private final FuseListener listener;
  private final FuseDevice device;
  private final DiskPool disk;
  private final Misses misses;
  private final RequestHandler handler;
  private final CountDownLatch serving;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** Notifications are rare and share one buffer; guarded by itself. */
  private final Reply notification;

  private RawFuseSession(
      Path target,
      ReadOnlyFileSystem files,
      FuseOptions options,
      FuseListener listener,
      FuseDevice device) {
    this.target = target;
    this.files = files;
    this.listener = listener;
    this.device = device;
    this.disk = new DiskPool(device, MAX_READ_BYTES, listener);
    this.misses = new Misses(disk, listener);
    this.handler =
        new RequestHandler(
            files, disk, misses, listener, Linux.pageBytes(), MAX_READ_BYTES, options.readers());
    this.serving = new CountDownLatch(options.readers());
    this.notification = new Reply(device, NotifyBodies.MAX_BYTES);
  }

  /**
   * Mounts a file system and serves it.
   *
   * @param target an existing directory; what a dead process left mounted there is unmounted
   * @param files is owned by the session from here on, also if this fails
   * @throws IOException if there is no FUSE, or the kernel refuses; it says what to do
   */
  public static RawFuseSession mount(
      Path target, ReadOnlyFileSystem files, FuseOptions options, FuseListener listener)
      throws IOException {
    try {
      FuseDevice device = FuseDevice.open();
      RawFuseSession session = new RawFuseSession(target, files, options, listener, device);
      try {
        FuseMounts.mount(target, device.fd(), MAX_READ_BYTES, options);
      } catch (IOException e) {
        device.close();
        throw e;
      }
      session.start(options);
      return session;
    } catch (IOException | RuntimeException e) {
      files.close();
      throw e;
    }
  }

  private void start(FuseOptions options) throws IOException {
    for (int i = 0; i < options.readers(); i++) {
      Thread.ofPlatform().daemon().name("fuse-reader-" + i).start(this::serve);
    }
    try {
      InitOut agreed = handler.agreed().get(INIT_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
      FuseMounts.setReadAhead(target, options.readAheadBytes());
      LOG.info("mounted {}", target);
      LOG.debug("{}: {}", target, agreed);
    } catch (ExecutionException e) {
      abandon(e);
      throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
    } catch (TimeoutException e) {
      abandon(e);
      throw new IOException(
          "mount %s: the kernel sent no FUSE_INIT within %s".formatted(target, INIT_PATIENCE), e);
    } catch (InterruptedException e) {
      abandon(e);
      Thread.currentThread().interrupt();
      throw new IOException("mount " + target + ": interrupted", e);
    }
  }

  private void abandon(Exception cause) {
    try {
      close();
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  @Override
  public Path target() {
    return target;
  }

  @Override
  public boolean ended() {
    return serving.getCount() == 0;
  }

  @Override
  public void awaitEnd() throws InterruptedException {
    serving.await();
  }

  /** Tells the kernel that the root has lost the entry {@code name}. */
  public void rootEntryGone(Bytes name) throws IOException {
    synchronized (notification) {
      long length =
          NotifyBodies.invalidateEntry(notification.body(), ReadOnlyFileSystem.ROOT_NODE, name);
      notification.tell(NOTIFY_INVAL_ENTRY, length);
    }
    rootChanged();
  }

  /** Tells the kernel that the root lists other entries than before. */
  public void rootChanged() throws IOException {
    synchronized (notification) {
      long length = NotifyBodies.invalidateNode(notification.body(), ReadOnlyFileSystem.ROOT_NODE);
      notification.tell(NOTIFY_INVAL_INODE, length);
    }
  }

  /**
   * Unmounts, and lets go of the file system. Who still reads it gets an error: only a session that
   * is held by another process can be used after its own has ended.
   */
  @Override
  public void close() throws IOException {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    if (!ended()) {
      FuseMounts.unmount(target);
    }
    if (quiet()) {
      device.close();
      files.close();
      LOG.info("unmounted {}", target);
    } else {
      // Closing a descriptor that a thread may still read from would let it read another file.
      LOG.warn("unmounted {}, but some of its threads are still at work: left to them", target);
    }
  }

  /** Ends what is under way; false if some of it does not end in time. */
  private boolean quiet() {
    try {
      boolean noneServes = serving.await(CLOSE_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
      boolean noneWaits = misses.close(CLOSE_PATIENCE);
      boolean noneReads = disk.close(CLOSE_PATIENCE);
      return noneServes && noneWaits && noneReads;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void serve() {
    MemorySegment buffer = Arena.ofAuto().allocate(REQUEST_BYTES, Long.BYTES);
    Reply reply = new Reply(device, MAX_READ_BYTES);
    try {
      long length;
      while ((length = device.take(buffer)) >= 0) {
        if (length >= InHeader.BYTES) {
          one(buffer, length, reply);
        }
      }
    } catch (IOException e) {
      LOG.error("mount {}: a thread that serves it ended", target, e);
    } finally {
      serving.countDown();
    }
  }

  /**
   * Answers one request. Whatever goes wrong with it, the next one is served, and this one is
   * answered: nothing ends the wait of a program whose request was taken.
   */
  private void one(MemorySegment buffer, long length, Reply reply) {
    long taken = System.nanoTime();
    InHeader header = InHeader.read(buffer, 0);
    Opcode opcode = Opcode.of(header.opcode());
    try {
      if (opcode == null) {
        LOG.debug("opcode {}: unknown, answered with ENOSYS", header.opcode());
        reply.fail(header.unique(), Errno.ENOSYS);
        listener.answered("unknown", Errno.ENOSYS, System.nanoTime() - taken);
        return;
      }
      FuseRequest request = RequestDecoder.decode(header, opcode, buffer, length);
      handler.handle(request, reply, taken);
    } catch (IOException | RuntimeException | Error e) {
      LOG.error("request {}: can't be answered", header, e);
      if (opcode == null || opcode.answered()) {
        refuse(header, reply);
      }
    }
  }

  /** The last resort; refused by the kernel where the request has been answered. */
  private static void refuse(InHeader header, Reply reply) {
    try {
      reply.fail(header.unique(), Errno.EIO);
    } catch (IOException e) {
      LOG.debug("request {}: had its answer", header, e);
    }
  }

  @Override
  public String toString() {
    return "FUSE mount " + target;
  }
}
