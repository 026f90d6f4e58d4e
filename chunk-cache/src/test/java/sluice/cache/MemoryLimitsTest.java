package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.cache.CacheSettings.LaneLimits;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.core.Repository;

/** How much is in flight, whoever holds the blobs. */
@Timeout(60)
final class MemoryLimitsTest {
  private static final int CHUNK_BYTES = 64 << 10;

  private final Random random = new Random(13);
  private final ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch gate = new CountDownLatch(1);
  private TestCache cache;

  @BeforeEach
  void openCache(@TempDir Path directory) throws IOException {
    cache = new TestCache(directory);
    // A plain chunk counts twice, encoded and decoded: two at a registry, four on the node.
    cache.limits = new LaneLimits(2, 4 * CHUNK_BYTES, 8 * CHUNK_BYTES);
    cache.reopen();
    cache.source.behave(request -> gate.await());
  }

  @AfterEach
  void closeCache() throws IOException {
    gate.countDown();
    readers.shutdownNow();
    cache.close();
  }

  private List<Future<Void>> readDevices(int count, String... hosts) throws IOException {
    Set<Repository> holders =
        Stream.of(hosts)
            .map(host -> Repository.parse(host + "/demo"))
            .collect(Collectors.toUnmodifiableSet());
    List<Future<Void>> reads = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      TestDevice device =
          TestDevice.builder().plain(TestDevice.random(random, CHUNK_BYTES)).build();
      cache.source.put(device);
      LazyDevice added = cache.cache().add(device.index(), holders);
      reads.add(
          readers.submit(() -> {
            added.ensure(0, 1, Lane.DEMAND);
            return null;
          }));
    }
    return reads;
  }

  /** How many requests are under way once no more are sent. */
  private int underWay() throws InterruptedException {
    int before = -1;
    for (int now = 0; now != before; now = cache.source.requests().size()) {
      before = now;
      Thread.sleep(200);
    }
    return before;
  }

  private void assertAllEnd(List<Future<Void>> reads) throws Exception {
    gate.countDown();
    for (Future<Void> read : reads) {
      read.get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void ensure_setsOfRegistriesThatOverlap_shareTheLimitsOfEach() throws Exception {
    List<Future<Void>> reads = readDevices(6, "a.example");
    assertThat(underWay()).isEqualTo(2);
    reads.addAll(readDevices(6, "a.example", "b.example"));
    assertThat(underWay()).isEqualTo(4);
    reads.addAll(readDevices(6, "b.example"));
    assertThat(underWay()).isEqualTo(4);
    assertAllEnd(reads);
    assertThat(cache.source.requests()).hasSize(18);
  }

  @Test
  void ensure_manyRegistriesThatHang_holdNoMoreThanTheNodeMay() throws Exception {
    List<Future<Void>> reads = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      reads.addAll(readDevices(3, "r" + i + ".example"));
    }
    assertThat(underWay()).isEqualTo(4);
    assertAllEnd(reads);
  }
}
