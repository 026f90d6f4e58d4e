package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.cache.CacheSettings.LaneLimits;
import sluice.core.FetchException;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.core.Repository;

/** A chunk that another flight brings is waited for, but not on a registry that hangs. */
@Timeout(60)
final class FollowTest {
  private static final Repository HEALTHY = Repository.parse("a.example/demo");
  private static final Repository HANGING = Repository.parse("b.example/demo");

  private final Random random = new Random(19);
  private final ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch gate = new CountDownLatch(1);
  private final byte[] shared = TestDevice.random(random, 100_000);
  private TestCache cache;

  @BeforeEach
  void openCache(@TempDir Path directory) throws IOException {
    cache = new TestCache(directory);
    cache.source.behave(request -> {
      if (request.holder().orElseThrow().equals(HANGING)) {
        gate.await();
      }
    });
  }

  @AfterEach
  void closeCache() throws IOException {
    gate.countDown();
    readers.shutdownNow();
    cache.close();
  }

  private LazyDevice add(TestDevice device, Repository holder) throws IOException {
    cache.source.put(device);
    return cache.cache().add(device.index(), Set.of(holder));
  }

  private Future<Void> read(LazyDevice device, Lane lane) {
    return readers.submit(() -> {
      device.ensure(0, 1, lane);
      return null;
    });
  }

  private void awaitRequests(int count) throws InterruptedException {
    for (int i = 0; i < 2000 && cache.source.requests().size() < count; i++) {
      Thread.sleep(5);
    }
    assertThat(cache.source.requests()).hasSize(count);
  }

  @Test
  void ensure_equalChunkComesFromARegistryThatHangs_asksItsOwn() throws Exception {
    Future<Void> hanging =
        read(add(TestDevice.builder().plain(shared).build(), HANGING), Lane.DEMAND);
    awaitRequests(1);
    TestDevice expected = TestDevice.builder().gzip(shared).build();
    TestCache.assertHolds(add(expected, HEALTHY), expected);
    // Who comes now follows the healthy one, or copies.
    TestDevice third = TestDevice.builder().plain(shared).hole(5000).build();
    TestCache.assertHolds(add(third, HEALTHY), third);
    assertThat(cache.source.requests()).hasSize(2);
    assertThat(hanging.isDone()).isFalse();
    gate.countDown();
    hanging.get(30, TimeUnit.SECONDS);
  }

  /** More than one attempt: on a busy host half a second passes without anything hanging. */
  @Test
  void ensure_equalChunkComesFromAnotherHealthyRegistry_isCopied() throws Exception {
    boolean copied = false;
    for (int attempt = 0; attempt < 5 && !copied; attempt++) {
      CountDownLatch answer = new CountDownLatch(1);
      cache.source.behave(request -> answer.await());
      cache.source.requests().clear();
      byte[] chunk = TestDevice.random(random, 100_000);
      Future<Void> leading =
          read(add(TestDevice.builder().plain(chunk).build(), HANGING), Lane.DEMAND);
      awaitRequests(1);
      Future<Void> following =
          read(add(TestDevice.builder().gzip(chunk).build(), HEALTHY), Lane.DEMAND);
      Thread.sleep(20);
      answer.countDown();
      leading.get(30, TimeUnit.SECONDS);
      following.get(30, TimeUnit.SECONDS);
      copied = cache.source.requests().size() == 1;
    }
    assertThat(copied).isTrue();
  }

  @Test
  void ensure_deviceGetsAHolderWhileItsOwnHangs_asksThatOne() throws Exception {
    TestDevice expected = TestDevice.builder().plain(shared).build();
    LazyDevice device = add(expected, HANGING);
    Future<Void> hanging = read(device, Lane.DEMAND);
    awaitRequests(1);
    assertThat(add(expected, HEALTHY)).isSameAs(device);
    TestCache.assertHolds(device, expected);
    assertThat(cache.source.requests()).hasSize(2);
    gate.countDown();
    hanging.get(30, TimeUnit.SECONDS);
    cache.cache().retain(List.of());
    assertThatThrownBy(() -> cache.cache().open(device.id())).isInstanceOf(IOException.class);
  }

  @Test
  void ensure_newLeaderWaitsInFill_demandThatFollowsItDoesNot() throws Exception {
    cache.limits = new LaneLimits(1, 64L << 20, 64L << 20);
    cache.reopen();
    Future<Void> fill =
        read(add(TestDevice.builder().plain(new byte[] {1}).build(), HANGING), Lane.FILL);
    awaitRequests(1);
    for (Lane first : List.of(Lane.DEMAND, Lane.FILL)) {
      byte[] chunk = TestDevice.random(random, 100_000);
      CountDownLatch failing = new CountDownLatch(1);
      TestDevice leader = TestDevice.builder().plain(chunk).build();
      cache.source.behave(request -> {
        if (request.lane() == Lane.FILL) {
          gate.await();
        } else if (request.blob().equals(leader.index().blob())) {
          failing.await();
          throw new FetchException("down", FetchException.Reason.UNREACHABLE, 0, null);
        }
      });
      int before = cache.source.requests().size();
      Future<Void> leading = read(add(leader, HANGING), Lane.DEMAND);
      awaitRequests(before + 1);
      Lane second = first == Lane.DEMAND ? Lane.FILL : Lane.DEMAND;
      Future<Void> one = read(add(TestDevice.builder().gzip(chunk).build(), HANGING), first);
      Thread.sleep(50);
      Future<Void> two =
          read(add(TestDevice.builder().gzip(chunk).hole(5000).build(), HANGING), second);
      Thread.sleep(50);
      failing.countDown();
      assertThatThrownBy(() -> leading.get(30, TimeUnit.SECONDS))
          .hasCauseInstanceOf(FetchException.class);
      (first == Lane.DEMAND ? one : two).get(10, TimeUnit.SECONDS);
    }
    gate.countDown();
    fill.get(30, TimeUnit.SECONDS);
  }
}
