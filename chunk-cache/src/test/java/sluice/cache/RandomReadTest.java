package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.LazyDevice;

/** Many readers at random places of devices that share chunks, at a registry that errs. */
final class RandomReadTest {
  private static final int DEVICES = 4;
  private static final int READERS = 16;
  private static final int READS = 150;

  @RepeatedTest(4)
  void read_randomPlaces_givesTheContent(RepetitionInfo repetition, @TempDir Path directory)
      throws Exception {
    long seed = 1000L + repetition.getCurrentRepetition();
    Random random = new Random(seed);
    List<byte[]> shared = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      shared.add(TestDevice.random(random, 1 + random.nextInt(60_000)));
    }
    try (TestCache cache = new TestCache(directory);
        ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<TestDevice> expected = new ArrayList<>();
      List<LazyDevice> devices = new ArrayList<>();
      for (int i = 0; i < DEVICES; i++) {
        expected.add(device(random, shared));
        devices.add(cache.add(expected.getLast()));
      }
      err(cache, seed);
      List<Future<Integer>> results = new ArrayList<>();
      for (int i = 0; i < READERS; i++) {
        Random own = new Random(seed * 31 + i);
        results.add(readers.submit(() -> readMuch(own, expected, devices)));
      }
      int failures = 0;
      for (Future<Integer> result : results) {
        failures += result.get(60, TimeUnit.SECONDS);
      }
      assertThat(failures).as("seed %d", seed).isLessThan(READERS * READS / 2);
      cache.source.behave(request -> {});
      cache.source.damage((request, answer) -> {});
      for (int i = 0; i < DEVICES; i++) {
        TestCache.assertHolds(devices.get(i), expected.get(i));
      }
    }
  }

  private static TestDevice device(Random random, List<byte[]> shared) {
    TestDevice.Builder builder = TestDevice.builder();
    builder.hashedWith(random.nextBoolean() ? Digest.Algorithm.SHA256 : Digest.Algorithm.BLAKE3);
    for (int i = 0; i < 60; i++) {
      byte[] bytes =
          random.nextInt(3) == 0
              ? shared.get(random.nextInt(shared.size()))
              : TestDevice.random(random, 1 + random.nextInt(60_000));
      switch (random.nextInt(6)) {
        case 0 -> builder.plain(bytes);
        case 1 -> builder.gzip(bytes);
        case 2 -> builder.span(bytes).gap(random.nextInt(40_000));
        case 3 -> builder.batch(random.nextInt(5000), bytes, new byte[] {1, 2, 3}, bytes);
        case 4 -> builder.zeros(1 + random.nextInt(30_000));
        default -> builder.hole(random.nextInt(9000)).plain(bytes);
      }
    }
    return builder.build();
  }

  /** Every tenth answer is wrong or fails. */
  private static void err(TestCache cache, long seed) {
    Random random = new Random(seed);
    cache.source.behave(request -> {
      synchronized (random) {
        if (random.nextInt(20) == 0) {
          throw new FetchException("down", FetchException.Reason.UNREACHABLE, 0, null);
        }
      }
    });
    cache.source.damage((request, answer) -> {
      synchronized (random) {
        if (random.nextInt(20) == 0) {
          answer[random.nextInt(answer.length)]++;
        }
      }
    });
  }

  /** Returns how many reads were refused; one that is answered must be right. */
  private static int readMuch(Random random, List<TestDevice> expected, List<LazyDevice> devices)
      throws InterruptedException {
    int refused = 0;
    for (int i = 0; i < READS; i++) {
      int which = random.nextInt(devices.size());
      int size = expected.get(which).content().length;
      int offset = random.nextInt(size);
      int length = 1 + random.nextInt(Math.min(size - offset, 200_000));
      try {
        TestCache.assertRange(devices.get(which), expected.get(which), offset, length);
      } catch (IOException e) {
        refused++;
      }
    }
    return refused;
  }
}
