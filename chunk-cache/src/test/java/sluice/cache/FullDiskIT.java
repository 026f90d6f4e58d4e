package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.Lane;
import sluice.core.LazyDevice;

/** A file system that fills up: a small ext4 on a loop device. */
final class FullDiskIT {
  private static final int CHUNK_BYTES = 1 << 20;
  private static final int DISK_BYTES = 24 << 20;

  private final Random random = new Random(1);
  private LoopDisk disk;
  private Path directory;

  @BeforeEach
  void mount(@TempDir Path parent) throws Exception {
    disk = new LoopDisk(parent, DISK_BYTES);
    directory = disk.path().resolve("devices");
  }

  @AfterEach
  void unmount() throws Exception {
    disk.close();
  }

  private TestDevice device(int chunks) {
    TestDevice.Builder builder = TestDevice.builder();
    for (int i = 0; i < chunks; i++) {
      builder.plain(TestDevice.random(random, CHUNK_BYTES)).gap(20_000);
    }
    return builder.build();
  }

  @Test
  void ensure_diskFillsUp_saysSoAndGoesOnWhenThereIsSpace() throws Exception {
    TestDevice small = device(6);
    TestDevice large = device(40);
    try (TestCache cache = new TestCache(directory)) {
      LazyDevice first = cache.add(small);
      TestCache.assertHolds(first, small);
      LazyDevice second = cache.add(large);
      assertThatThrownBy(() -> second.ensure(0, second.lengthBytes(), Lane.DEMAND))
          .isInstanceOfSatisfying(DiskException.class, e -> assertThat(e.full()).isTrue())
          .hasMessageContaining("device " + second.id())
          .hasMessageContaining("bytes are free")
          .hasMessageContaining("remove images or enlarge it");
      assertThat(cache.listener.failures).contains(CacheListener.Failure.DISK_FULL);
      assertPresentIsRight(second, large);
      TestCache.assertHolds(first, small);
      cache.cache().retain(List.of(second.id()));
      int missing = firstMissing(second);
      TestCache.assertRange(second, large, missing * CHUNK_BYTES, CHUNK_BYTES);
      assertPresentIsRight(second, large);
      cache.reopen();
      assertPresentIsRight(cache.cache().open(second.id()), large);
    }
  }

  private static int firstMissing(LazyDevice device) {
    int chunk = 0;
    while (device.present((long) chunk * CHUNK_BYTES, CHUNK_BYTES)) {
      chunk++;
    }
    return chunk;
  }

  private static void assertPresentIsRight(LazyDevice device, TestDevice expected)
      throws Exception {
    for (int chunk = 0; chunk < 40; chunk++) {
      if (device.present((long) chunk * CHUNK_BYTES, CHUNK_BYTES)) {
        TestCache.assertRange(device, expected, chunk * CHUNK_BYTES, CHUNK_BYTES);
      }
    }
  }

  @Test
  void ensure_streamDoesNotFit_givesTheSpaceBack() throws Exception {
    TestDevice large =
        TestDevice.builder().stream(
            StreamCompression.NONE, 0, TestDevice.random(random, 30 * CHUNK_BYTES));
    try (TestCache cache = new TestCache(directory)) {
      LazyDevice device = cache.add(large);
      assertThatThrownBy(() -> device.ensure(0, 1, Lane.DEMAND)).isInstanceOf(DiskException.class);
      assertThat(device.present(0, 1)).isFalse();
      assertThat(BlocksOnDisk.of(device.file())).isZero();
      TestDevice small = device(6);
      TestCache.assertHolds(cache.add(small), small);
    }
  }

  @Test
  void add_noSpaceForTheTable_leavesNothing() throws Exception {
    try (TestCache cache = new TestCache(directory)) {
      try (RandomAccessFile file =
          new RandomAccessFile(disk.path().resolve("filler").toFile(), "rw")) {
        for (int bytes = 1 << 16; bytes >= 1; bytes /= 16) {
          byte[] block = new byte[bytes];
          assertThatThrownBy(
                  () -> {
                    for (int i = 0; i < DISK_BYTES; i++) {
                      file.write(block);
                    }
                  })
              .isInstanceOf(IOException.class);
        }
      }
      assertThatThrownBy(() -> cache.add(device(6))).isInstanceOf(IOException.class);
      Files.delete(disk.path().resolve("filler"));
      TestDevice small = device(6);
      TestCache.assertHolds(cache.add(small), small);
      assertThat(cache.cache().report().devices()).hasSize(1);
    }
  }
}
