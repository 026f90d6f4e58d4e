package sluice.fuse;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import sluice.core.DeviceId;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.LazyDevice;

/** A device whose file is whole from the beginning; what it says of presence can be chosen. */
public final class TestDevice implements LazyDevice {

  private final Path file;
  private final DeviceId id;
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicInteger ensured = new AtomicInteger();
  private volatile boolean present = true;
  private volatile CountDownLatch gate = new CountDownLatch(0);
  private volatile @Nullable IOException failure;

  public TestDevice(Path file) {
    this.file = file;
    this.id = new DeviceId(Digest.sha256(file.toString().getBytes(StandardCharsets.UTF_8)).hex());
  }

  /** From now on nothing is present, and who asks for it waits until {@link #open}. */
  public TestDevice hang() {
    gate = new CountDownLatch(1);
    present = false;
    return this;
  }

  /** From now on nothing is present, but comes when it is asked for. */
  public TestDevice absent() {
    present = false;
    return this;
  }

  /** Ends {@link #hang}. */
  public void open() {
    gate.countDown();
  }

  /** From now on nothing is present, and who asks for it gets this; null ends it. */
  public void fail(@Nullable IOException with) {
    failure = with;
    present = with == null;
  }

  /** How many wait in {@link #ensure}. */
  public int waiting() {
    return waiting.get();
  }

  /** How often {@link #ensure} was called. */
  public int ensured() {
    return ensured.get();
  }

  @Override
  public DeviceId id() {
    return id;
  }

  @Override
  public long lengthBytes() {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Path file() {
    return file;
  }

  @Override
  public boolean present(long offset, long length) {
    return present;
  }

  @Override
  public void ensure(long offset, long length, Lane lane) throws IOException, InterruptedException {
    ensured.incrementAndGet();
    waiting.incrementAndGet();
    try {
      gate.await();
    } finally {
      waiting.decrementAndGet();
    }
    IOException failed = failure;
    if (failed != null) {
      throw failed;
    }
  }
}
