package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.DeviceId;
import sluice.core.Lane;
import sluice.core.LazyDevice;

/** What becomes of a copy when its source is deleted, damaged or cannot be read. */
@Timeout(120)
final class EqualChunksTest {
  private static final int CHUNK_BYTES = 32 << 10;

  private final Random random = new Random(17);
  private final ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor();
  private TestCache cache;

  @BeforeEach
  void openCache(@TempDir Path directory) throws IOException {
    cache = new TestCache(directory);
  }

  @AfterEach
  void closeCache() throws IOException {
    readers.shutdownNow();
    cache.close();
  }

  private byte[] bytes(int length) {
    return TestDevice.random(random, length);
  }

  private LazyDevice addWhole(TestDevice device) throws IOException, InterruptedException {
    LazyDevice added = cache.add(device);
    added.ensure(0, added.lengthBytes(), Lane.DEMAND);
    return added;
  }

  /** Closes the files of devices that were used before. */
  private void useOtherFiles() throws IOException, InterruptedException {
    for (int i = 0; i < 17; i++) {
      addWhole(TestDevice.builder().plain(bytes(100)).build());
    }
  }

  @Test
  void retain_sourceIsDeletedWhileItIsCopied_deviceThatComesAgainIsWhole() throws Exception {
    // Thousands of pieces, so that the source is opened again and again while it is deleted.
    byte[][] pieces = new byte[4000][];
    Arrays.setAll(pieces, i -> bytes(16));
    TestDevice source = TestDevice.builder().batch(0, pieces).build();
    cache.failpoints =
        point -> {
          if (point == Failpoints.Point.DEVICE_UNNAMED) {
            LockSupport.parkNanos(20_000_000);
          }
        };
    for (int round = 0; round < 20; round++) {
      LazyDevice first = addWhole(source);
      List<LazyDevice> copies = new ArrayList<>();
      List<Future<?>> copied = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        LazyDevice copy =
            cache.add(TestDevice.builder().plain(bytes(8)).batch(0, reversed(pieces, i)).build());
        copies.add(copy);
        copied.add(
            readers.submit(() -> {
              copy.ensure(8, 1, Lane.DEMAND);
              return null;
            }));
      }
      Set<DeviceId> kept = copies.stream().map(LazyDevice::id).collect(Collectors.toSet());
      Thread.sleep(random.nextInt(20));
      for (int i = 0; i < 1000 && Files.exists(first.file()); i++) {
        cache.cache().retain(kept);
      }
      LazyDevice again = addWhole(source);
      TestCache.assertRange(again, source, 0, source.content().length);
      for (Future<?> copy : copied) {
        copy.get(30, TimeUnit.SECONDS);
      }
      cache.cache().retain(List.of());
    }
  }

  /** The pieces in another order, so that no chunk waits for another to be copied. */
  private static byte[][] reversed(byte[][] pieces, int first) {
    byte[][] other = new byte[pieces.length][];
    Arrays.setAll(other, i -> pieces[(first + pieces.length - i) % pieces.length]);
    return other;
  }

  @Test
  void ensure_sourceHasAnUnreadableSector_asksTheRegistry() throws Exception {
    byte[] shared = bytes(CHUNK_BYTES);
    LazyDevice source = addWhole(TestDevice.builder().plain(shared).build());
    useOtherFiles();
    // The first page of a process is never mapped: reading it is EIO, as of a bad sector.
    Files.delete(source.file());
    Files.createSymbolicLink(source.file(), Path.of("/proc/self/mem"));
    TestDevice copy = TestDevice.builder().gzip(shared).build();
    TestCache.assertHolds(cache.add(copy), copy);
    assertThat(cache.source.requests().getLast().blob()).isEqualTo(copy.index().blob());
  }

  @Test
  void ensure_sourceIsDamaged_bothAreRightInTheEnd() throws Exception {
    byte[] shared = bytes(CHUNK_BYTES);
    TestDevice expected = TestDevice.builder().plain(bytes(100)).plain(shared).build();
    LazyDevice source = addWhole(expected);
    try (RandomAccessFile file = new RandomAccessFile(source.file().toFile(), "rw")) {
      file.seek(100 + 77);
      file.write(~shared[77]);
    }
    TestDevice copy = TestDevice.builder().gzip(shared).build();
    TestCache.assertHolds(cache.add(copy), copy);
    assertThat(source.present(0, 100)).isTrue();
    assertThat(source.present(100, 1)).isFalse();
    TestCache.assertHolds(source, expected);
  }

  @Test
  void ensure_sourceIsCut_bothAreRightInTheEnd() throws Exception {
    byte[] shared = bytes(CHUNK_BYTES);
    TestDevice expected = TestDevice.builder().plain(shared).build();
    LazyDevice source = addWhole(expected);
    DeviceFiles.setLength(source.file(), 4096);
    TestDevice copy = TestDevice.builder().gzip(shared).build();
    TestCache.assertHolds(cache.add(copy), copy);
    assertThat(source.present(0, 1)).isFalse();
    TestCache.assertHolds(source, expected);
  }
}
