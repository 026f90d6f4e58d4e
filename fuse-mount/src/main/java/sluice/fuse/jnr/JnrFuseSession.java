package sluice.fuse.jnr;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import ru.serce.jnrfuse.FuseException;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseMounts;
import sluice.fuse.FuseOptions;
import sluice.fuse.FuseSession;
import sluice.fuse.ReadOnlyFileSystem;
import sluice.linux.DeadMounts;
import sluice.linux.Linux;

/** One mount by libfuse 2, which runs its loop on a thread of its own. */
public final class JnrFuseSession implements FuseSession {

  private static final Logger LOG = LoggerFactory.getLogger(JnrFuseSession.class);

  /**
   * libfuse mounts and the kernel begins the session at once; this says that something is broken.
   */
  private static final Duration MOUNT_PATIENCE = Duration.ofSeconds(10);

  private static final Duration LOOK_EVERY = Duration.ofMillis(20);
  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(5);

  private final Path target;
  private final ReadOnlyFileSystem files;
  private final JnrReads reads;
  private final JnrCallbacks callbacks;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final AtomicBoolean closed = new AtomicBoolean();

  /** What ended libfuse's loop, if it was no unmount. */
  private volatile @Nullable FuseException failure;

  private JnrFuseSession(Path target, ReadOnlyFileSystem files, FuseListener listener) {
    this.target = target;
    this.files = files;
    this.reads = new JnrReads(listener);
    this.callbacks = new JnrCallbacks(files, reads, listener);
  }

  /**
   * Mounts a file system and serves it.
   *
   * @param target an existing directory; what a dead process left mounted there is unmounted
   * @param name what messages call the image
   * @param files is owned by the session from here on, also if this fails; its nodes live as long
   *     as it, whatever is forgotten
   * @throws IOException if there is no libfuse 2 or no FUSE, or a name in it is not UTF-8
   */
  public static JnrFuseSession mount(
      Path target,
      String name,
      ReadOnlyFileSystem files,
      FuseOptions options,
      FuseListener listener)
      throws IOException {
    try {
      Utf8Names.require(name, files);
      DeadMounts.clear(target);
      JnrFuseSession session = session(target, files, listener);
      session.start(options);
      return session;
    } catch (IOException | RuntimeException e) {
      files.close();
      throw e;
    }
  }

  private static JnrFuseSession session(
      Path target, ReadOnlyFileSystem files, FuseListener listener) throws IOException {
    try {
      return new JnrFuseSession(target, files, listener);
    } catch (LinkageError e) {
      throw new IOException(
          "libfuse 2 can't be loaded (%s): install libfuse2, or set fuse.transport to \"raw\""
              .formatted(e.getMessage()),
          e);
    }
  }

  private void start(FuseOptions options) throws IOException {
    Thread.ofPlatform().daemon().name("fuse-jnr").start(() -> serve(options));
    long deadline = System.nanoTime() + MOUNT_PATIENCE.toNanos();
    try {
      while (!callbacks.begun().await(LOOK_EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
        if (ended() || System.nanoTime() - deadline > 0) {
          callbacks.forgetMount();
          throw new IOException(
              "mount %s by libfuse failed: see its message on stderr; it needs root and /dev/fuse"
                  .formatted(target),
              failure);
        }
      }
    } catch (InterruptedException e) {
      close();
      Thread.currentThread().interrupt();
      throw new IOException("mount " + target + ": interrupted", e);
    }
    FuseMounts.setReadAhead(target, options.readAheadBytes());
    LOG.info("mounted {} by jnr-fuse", target);
  }

  private void serve(FuseOptions options) {
    try {
      callbacks.mount(target, true, false, arguments(options));
    } catch (FuseException e) {
      failure = e;
    } finally {
      ended.countDown();
    }
  }

  private static String[] arguments(FuseOptions options) {
    String allowed =
        (options.setId() ? "suid" : "nosuid") + (options.deviceNodes() ? ",dev" : ",nodev");
    return new String[] {
      "-o",
      "ro,allow_other,default_permissions,use_ino,readdir_ino,kernel_cache,nonempty," + allowed,
      "-o",
      "attr_timeout=31536000,entry_timeout=31536000,negative_timeout=31536000",
      "-o",
      "max_read=131072,max_background=4096,congestion_threshold=3072",
      "-o",
      "fsname=sluice,subtype=sluice"
    };
  }

  /**
   * Unmounts; who still reads it can go on, and when the last one is done the file system is let go
   * of. Returns at once.
   */
  public void release() throws IOException {
    if (closed.compareAndSet(false, true)) {
      Thread.ofVirtual().name("fuse-release").start(this::closeAtEnd);
      callbacks.forgetMount();
      if (!ended()) {
        Linux.unmount(target, Linux.MNT_DETACH | Linux.UMOUNT_NOFOLLOW);
      }
    }
  }

  private void closeAtEnd() {
    try {
      ended.await();
      files.close();
      LOG.info("unmounted {}", target);
    } catch (InterruptedException e) {
      // Nobody interrupts this thread; the process would end with the files open.
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public Path target() {
    return target;
  }

  @Override
  public boolean ended() {
    return ended.getCount() == 0;
  }

  @Override
  public void awaitEnd() throws InterruptedException {
    ended.await();
  }

  @Override
  public void close() throws IOException {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    if (!ended()) {
      FuseMounts.unmount(target);
    }
    callbacks.forgetMount();
    reads.close();
    boolean quiet;
    try {
      quiet = ended.await(CLOSE_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      quiet = false;
    }
    if (quiet) {
      files.close();
      LOG.info("unmounted {}", target);
    } else {
      LOG.warn("unmounted {}, but libfuse still serves it: its files stay open", target);
    }
  }

  @Override
  public String toString() {
    return "FUSE mount " + target + " by jnr-fuse";
  }
}
