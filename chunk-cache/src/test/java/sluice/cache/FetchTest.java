package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.cache.CacheSettings.LaneLimits;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.CorruptException;
import sluice.core.FetchException;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.core.Repository;

@Timeout(60)
final class FetchTest {
  private static final int KIB = 1 << 10;

  private final Random random = new Random(11);
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

  private List<Future<Void>> read(int count, Callable<Void> read) {
    List<Future<Void>> results = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      results.add(readers.submit(read));
    }
    return results;
  }

  private static void await(List<Future<Void>> results) throws Exception {
    for (Future<Void> result : results) {
      result.get(30, TimeUnit.SECONDS);
    }
  }

  private static Callable<Void> ensure(LazyDevice device, long offset, long length, Lane lane) {
    return () -> {
      device.ensure(offset, length, lane);
      return null;
    };
  }

  /** Holds all requests of a source until it is opened. */
  private CountDownLatch hold() {
    CountDownLatch gate = new CountDownLatch(1);
    cache.source.behave(request -> gate.await());
    return gate;
  }

  private void awaitRequests(int count) throws InterruptedException {
    for (int i = 0; i < 2000 && cache.source.requests().size() < count; i++) {
      Thread.sleep(5);
    }
    assertThat(cache.source.requests()).hasSizeGreaterThanOrEqualTo(count);
  }

  @Test
  void ensure_64ThreadsOneChunk_sendOneRequest() throws Exception {
    TestDevice expected = TestDevice.builder().gzip(bytes(300 * KIB)).build();
    LazyDevice device = cache.add(expected);
    CountDownLatch gate = hold();
    List<Future<Void>> results = read(64, ensure(device, 1000, 10, Lane.DEMAND));
    awaitRequests(1);
    gate.countDown();
    await(results);
    assertThat(cache.source.requests()).hasSize(1);
    TestCache.assertHolds(device, expected);
  }

  @Test
  void ensure_64ThreadsTwoDevicesThatShareAChunk_sendOneRequest() throws Exception {
    byte[] shared = bytes(200 * KIB);
    TestDevice left = TestDevice.builder().plain(shared).build();
    TestDevice right = TestDevice.builder().hole(512).gzip(shared).build();
    LazyDevice leftDevice = cache.add(left);
    LazyDevice rightDevice = cache.add(right);
    CountDownLatch gate = hold();
    List<Future<Void>> results = read(32, ensure(leftDevice, 0, 1, Lane.DEMAND));
    results.addAll(read(32, ensure(rightDevice, 512, 1, Lane.DEMAND)));
    awaitRequests(1);
    Thread.sleep(50);
    gate.countDown();
    await(results);
    assertThat(cache.source.requests()).hasSize(1);
    assertThat(cache.listener.copied).hasValue(shared.length);
    TestCache.assertHolds(leftDevice, left);
    TestCache.assertHolds(rightDevice, right);
  }

  @Test
  void ensure_chunkThatAnotherDeviceHas_isCopiedAlsoAfterRestart() throws Exception {
    byte[] one = bytes(70 * KIB);
    byte[] two = bytes(5);
    TestDevice left = TestDevice.builder().plain(bytes(3)).gzip(one).plain(two).build();
    TestDevice right = TestDevice.builder().batch(100, two, one).build();
    LazyDevice leftDevice = cache.add(left);
    leftDevice.ensure(0, leftDevice.lengthBytes(), Lane.DEMAND);
    cache.reopen();
    cache.cache().open(leftDevice.id());
    cache.source.requests().clear();
    TestCache.assertHolds(cache.add(right), right);
    assertThat(cache.source.requests()).isEmpty();
    assertThat(cache.listener.copied).hasValue(one.length + two.length);
  }

  @Test
  void ensure_leaderFails_followerFetchesItself() throws Exception {
    byte[] shared = bytes(200 * KIB);
    TestDevice left = TestDevice.builder().plain(shared).build();
    TestDevice right = TestDevice.builder().gzip(shared).build();
    LazyDevice leftDevice = cache.add(left);
    LazyDevice rightDevice = cache.add(right);
    CountDownLatch gate = new CountDownLatch(1);
    cache.source.behave(request -> {
      if (request.blob().equals(left.index().blob())) {
        gate.await();
        throw new FetchException("down", FetchException.Reason.UNREACHABLE, 0, null);
      }
    });
    List<Future<Void>> failing = read(1, ensure(leftDevice, 0, 1, Lane.DEMAND));
    awaitRequests(1);
    List<Future<Void>> following = read(1, ensure(rightDevice, 0, 1, Lane.DEMAND));
    Thread.sleep(50);
    gate.countDown();
    await(following);
    assertThatThrownBy(() -> await(failing))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(FetchException.class);
    TestCache.assertHolds(rightDevice, right);
  }

  @Test
  void ensure_wrongBytesOnce_asksAgainAndIsRight() throws Exception {
    TestDevice expected = TestDevice.builder().plain(bytes(8 * KIB)).build();
    LazyDevice device = cache.add(expected);
    AtomicBoolean first = new AtomicBoolean(true);
    cache.source.damage((request, answer) -> {
      if (first.getAndSet(false)) {
        answer[77]++;
      }
    });
    TestCache.assertHolds(device, expected);
    assertThat(cache.source.requests()).hasSize(2);
  }

  @Test
  void ensure_wrongBytesAlways_namesBlobChunkAndDigestsAndHealsWithTheRegistry() throws Exception {
    TestDevice expected = TestDevice.builder().gap(10).plain(bytes(8 * KIB)).build();
    LazyDevice device = cache.add(expected);
    cache.source.damage((request, answer) -> answer[answer.length - 1]++);
    String digest =
        expected.index().chunks().iterator().next().placements().getFirst().digest() + "";
    assertThatThrownBy(() -> device.ensure(0, 1, Lane.DEMAND))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("blob " + expected.index().blob())
        .hasMessageContaining("[10, 8202)")
        .hasMessageContaining(digest + " expected, sha256:")
        .hasMessageContaining("found");
    assertThat(device.present(0, 1)).isFalse();
    assertThat(BlocksOnDisk.of(device.file())).isZero();
    assertThat(cache.source.requests()).hasSize(2);
    assertThat(cache.listener.failures).containsExactly(CacheListener.Failure.VERIFY);
    cache.source.damage((request, answer) -> {});
    TestCache.assertHolds(device, expected);
  }

  @Test
  void ensure_chunksThatShareAByte_comeWithOneRequest() throws Exception {
    TestDevice expected =
        TestDevice.builder()
            .plain(bytes(9 * KIB))
            .sharing(bytes(9 * KIB))
            .sharing(bytes(9 * KIB))
            .build();
    LazyDevice device = cache.add(expected);
    device.ensure(0, 1, Lane.DEMAND);
    TestCache.assertHolds(device, expected);
    assertThat(cache.source.requests()).hasSize(1);
    assertThat(cache.source.requests().getFirst().range())
        .isEqualTo(new ByteRange(0, 27 * KIB - 2));
  }

  @Test
  void ensure_oneBadChunkOfAJoinedRange_keepsTheOthers() throws Exception {
    TestDevice expected =
        TestDevice.builder()
            .plain(bytes(9 * KIB))
            .gzip(bytes(9 * KIB))
            .span(bytes(9 * KIB))
            .build();
    LazyDevice device = cache.add(expected);
    long bad = 9 * KIB + 200;
    cache.source.damage((request, answer) -> {
      if (request.range().contains(new ByteRange(bad, 1))) {
        answer[(int) (bad - request.range().offset())]++;
      }
    });
    assertThatThrownBy(() -> device.ensure(0, device.lengthBytes(), Lane.DEMAND))
        .isInstanceOf(CorruptException.class);
    assertThat(device.present(0, 9 * KIB)).isTrue();
    assertThat(device.present(9 * KIB, 1)).isFalse();
    device.ensure(18 * KIB, 1, Lane.DEMAND);
    assertThat(cache.source.requests()).hasSize(2);
  }

  @Test
  void ensure_joinedRangeThatEndsAfterTheBlob_failsOnlyTheChunkThatLies() throws Exception {
    TestDevice expected = TestDevice.builder().plain(bytes(9 * KIB)).plain(bytes(9 * KIB)).build();
    cache.source.put(expected);
    LazyDevice device = cache.cache().add(expected.index(), TestCache.HOLDERS);
    TestDevice cut = expected.cut(10 * KIB);
    cache.source.put(cut);
    assertThatThrownBy(() -> device.ensure(0, device.lengthBytes(), Lane.DEMAND))
        .isInstanceOf(FetchException.class);
    assertThat(device.present(0, 9 * KIB)).isTrue();
    assertThat(device.present(9 * KIB, 1)).isFalse();
  }

  @Test
  void ensure_failure_isNotRemembered() throws Exception {
    TestDevice expected = TestDevice.builder().plain(bytes(8 * KIB)).build();
    LazyDevice device = cache.add(expected);
    cache.source.behave(request -> {
      throw new FetchException("503", FetchException.Reason.SERVER_ERROR, 503, null);
    });
    for (int i = 1; i <= 3; i++) {
      assertThatThrownBy(() -> device.ensure(0, 1, Lane.DEMAND)).isInstanceOf(FetchException.class);
      assertThat(cache.source.requests()).hasSize(i);
    }
    cache.source.behave(request -> {});
    TestCache.assertHolds(device, expected);
  }

  @Test
  void ensure_sourceBreaksItsContract_failsAndHeals() throws Exception {
    TestDevice expected = TestDevice.builder().plain(bytes(8 * KIB)).build();
    LazyDevice device = cache.add(expected);
    cache.source.behave(request -> {
      throw new IllegalStateException("surprise");
    });
    assertThatThrownBy(() -> device.ensure(0, 1, Lane.DEMAND))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("surprise");
    cache.source.behave(request -> {});
    TestCache.assertHolds(device, expected);
  }

  @Test
  void ensure_interruptedReader_leavesAndTheOthersGetTheBytes() throws Exception {
    TestDevice expected = TestDevice.builder().plain(bytes(8 * KIB)).build();
    LazyDevice device = cache.add(expected);
    CountDownLatch gate = hold();
    AtomicInteger interrupted = new AtomicInteger();
    Thread reader =
        Thread.ofVirtual()
            .start(() -> {
              try {
                device.ensure(0, 1, Lane.DEMAND);
              } catch (InterruptedException e) {
                interrupted.incrementAndGet();
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    List<Future<Void>> others = read(3, ensure(device, 0, 1, Lane.DEMAND));
    awaitRequests(1);
    reader.interrupt();
    reader.join();
    assertThat(interrupted).hasValue(1);
    gate.countDown();
    await(others);
    assertThat(cache.source.requests()).hasSize(1);
  }

  @Test
  void ensure_readersThatLeftBeforeTheirRequestWasSent_sendNone() throws Exception {
    cache.limits = new LaneLimits(1, 64L << 20, 64L << 20);
    cache.reopen();
    LazyDevice first = cache.add(TestDevice.builder().plain(bytes(8 * KIB)).build());
    TestDevice expected = TestDevice.builder().plain(bytes(8 * KIB)).build();
    LazyDevice second = cache.add(expected);
    CountDownLatch gate = hold();
    List<Future<Void>> sent = read(1, ensure(first, 0, 1, Lane.DEMAND));
    awaitRequests(1);
    CountDownLatch left = new CountDownLatch(5);
    List<Future<Void>> waiting =
        read(
            5,
            () -> {
              try {
                second.ensure(0, 1, Lane.DEMAND);
                return null;
              } finally {
                left.countDown();
              }
            });
    Thread.sleep(50);
    waiting.forEach(result -> result.cancel(true));
    assertThat(left.await(30, TimeUnit.SECONDS)).isTrue();
    gate.countDown();
    await(sent);
    Thread.sleep(50);
    assertThat(cache.source.requests()).hasSize(1);
    TestCache.assertHolds(second, expected);
  }

  @Test
  void ensure_registryHangs_anotherRegistryAnswers() throws Exception {
    LazyDevice hanging = cache.add(TestDevice.builder().plain(bytes(64 * KIB)).build());
    TestDevice other = TestDevice.builder().plain(bytes(8 * KIB)).build();
    cache.source.put(other);
    LazyDevice answering =
        cache.cache().add(other.index(), Set.of(Repository.parse("other.example/demo")));
    cache.source.behave(request -> {
      if (!request.blob().equals(other.index().blob())) {
        Thread.sleep(Duration.ofMinutes(10));
      }
    });
    List<Future<Void>> stuck = read(64, ensure(hanging, 0, 1, Lane.DEMAND));
    awaitRequests(1);
    TestCache.assertHolds(answering, other);
    stuck.forEach(result -> result.cancel(true));
    assertThat(stuck).allMatch(Future::isCancelled);
  }

  @Test
  void ensure_demandWhileFillWaits_isNotBehindIt() throws Exception {
    cache.limits = new LaneLimits(1, 64L << 20, 64L << 20);
    cache.reopen();
    LazyDevice first = cache.add(TestDevice.builder().plain(bytes(8 * KIB)).build());
    TestDevice expected = TestDevice.builder().plain(bytes(8 * KIB)).build();
    LazyDevice second = cache.add(expected);
    CountDownLatch gate = new CountDownLatch(1);
    cache.source.behave(request -> {
      if (request.lane() == Lane.FILL) {
        gate.await();
      }
    });
    List<Future<Void>> fills = read(1, ensure(first, 0, 1, Lane.FILL));
    awaitRequests(1);
    fills.addAll(read(1, ensure(second, 0, 1, Lane.FILL)));
    Thread.sleep(50);
    TestCache.assertHolds(second, expected);
    assertThat(cache.source.requests().getLast().lane()).isEqualTo(Lane.DEMAND);
    gate.countDown();
    await(fills);
    assertThat(cache.source.requests()).hasSize(2);
  }

  @Test
  void ensure_moreBytesThanMayBeHeld_getsThemPieceByPiece() throws Exception {
    cache.limits = new LaneLimits(2, 100 * KIB, 100 * KIB);
    cache.reopen();
    TestDevice.Builder builder = TestDevice.builder();
    for (int i = 0; i < 50; i++) {
      builder.gzip(bytes(60 * KIB)).gap(20 * KIB);
    }
    TestDevice expected = builder.build();
    TestCache.assertHolds(cache.add(expected), expected);
    assertThat(cache.source.requests()).hasSize(50);
  }

  @Test
  void ensure_wholeStream_isPresentOnceItsDigestMatched() throws Exception {
    byte[][] files = {bytes(10), bytes(700 * KIB), bytes(4096), bytes(1)};
    for (StreamCompression compression : List.of(StreamCompression.NONE, StreamCompression.GZIP)) {
      TestDevice expected = TestDevice.builder().stream(compression, 4096, files);
      LazyDevice device = cache.add(expected);
      cache.source.requests().clear();
      CountDownLatch gate = hold();
      List<Future<Void>> results = read(64, ensure(device, 4106, 1, Lane.DEMAND));
      awaitRequests(1);
      gate.countDown();
      await(results);
      TestCache.assertHolds(device, expected);
      assertThat(cache.source.requests()).hasSize(1);
    }
  }

  @Test
  void ensure_twoStreamsThatShareAFile_areBothStreamed() throws Exception {
    byte[] shared = bytes(50 * KIB);
    TestDevice.Builder left = TestDevice.builder().hashedFiles();
    TestDevice.Builder right = TestDevice.builder().hashedFiles();
    List<TestDevice> expected =
        List.of(
            left.stream(StreamCompression.NONE, 0, shared, bytes(3)),
            right.stream(StreamCompression.GZIP, 0, shared, bytes(KIB)));
    CountDownLatch gate = hold();
    List<Future<Void>> results = new ArrayList<>();
    for (TestDevice device : expected) {
      results.addAll(read(4, ensure(cache.add(device), 0, 1, Lane.DEMAND)));
    }
    awaitRequests(2);
    gate.countDown();
    await(results);
    for (TestDevice device : expected) {
      TestCache.assertHolds(cache.add(device), device);
    }
    assertThat(cache.source.requests()).hasSize(2);
  }

  @Test
  void ensure_fileThatAStreamedLayerHas_isCopied() throws Exception {
    byte[] file = bytes(50 * KIB);
    TestDevice layer = TestDevice.builder().hashedFiles().stream(StreamCompression.GZIP, 0, file);
    LazyDevice streamed = cache.add(layer);
    streamed.ensure(0, 1, Lane.DEMAND);
    TestDevice chunked = TestDevice.builder().plain(file).build();
    TestCache.assertHolds(cache.add(chunked), chunked);
    assertThat(cache.source.requests()).hasSize(1);
  }

  @Test
  void ensure_demandForAStreamThatFillWaitsFor_isNotBehindIt() throws Exception {
    cache.limits = new LaneLimits(1, 64L << 20, 64L << 20);
    cache.reopen();
    LazyDevice first = cache.add(TestDevice.builder().plain(bytes(8 * KIB)).build());
    TestDevice expected = TestDevice.builder().stream(StreamCompression.NONE, 0, bytes(8 * KIB));
    LazyDevice second = cache.add(expected);
    CountDownLatch gate = new CountDownLatch(1);
    cache.source.behave(request -> {
      if (request.lane() == Lane.FILL) {
        gate.await();
      }
    });
    List<Future<Void>> fills = read(1, ensure(first, 0, 1, Lane.FILL));
    awaitRequests(1);
    fills.addAll(read(1, ensure(second, 0, 1, Lane.FILL)));
    Thread.sleep(50);
    TestCache.assertHolds(second, expected);
    gate.countDown();
    await(fills);
    assertThat(cache.source.requests()).hasSize(2);
  }

  @Test
  void ensure_wholeStreamWithAWrongByte_leavesNothing() throws Exception {
    TestDevice expected =
        TestDevice.builder().stream(StreamCompression.NONE, 0, bytes(100 * KIB), bytes(5000));
    LazyDevice device = cache.add(expected);
    cache.source.damage((request, answer) -> answer[answer.length - 1]++);
    assertThatThrownBy(() -> device.ensure(0, 1, Lane.DEMAND))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining(expected.index().blob() + " expected");
    assertThat(device.present(0, 1)).isFalse();
    assertThat(BlocksOnDisk.of(device.file())).isZero();
    cache.source.damage((request, answer) -> {});
    TestCache.assertHolds(device, expected);
  }

  @Test
  void ensure_wholeStreamThatEndsEarlyOrLate_isRefused() throws Exception {
    TestDevice expected = TestDevice.builder().stream(StreamCompression.NONE, 0, bytes(100 * KIB));
    LazyDevice device = cache.add(expected);
    cache.source.put(expected.cut(50 * KIB));
    assertThatThrownBy(() -> device.ensure(0, 1, Lane.DEMAND))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("the stream ends after 51200 decoded bytes");
    cache.source.put(expected.cut(expected.blob().length + 1));
    assertThatThrownBy(() -> device.ensure(0, 1, Lane.DEMAND))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("more bytes came");
    cache.source.put(expected);
    TestCache.assertHolds(device, expected);
  }

  @Test
  void close_readersWait_getAnError() throws Exception {
    LazyDevice device = cache.add(TestDevice.builder().plain(bytes(8 * KIB)).build());
    hold();
    List<Future<Void>> waiting = read(8, ensure(device, 0, 1, Lane.DEMAND));
    awaitRequests(1);
    cache.reopen();
    for (Future<Void> result : waiting) {
      assertThatThrownBy(() -> result.get(30, TimeUnit.SECONDS))
          .hasCauseInstanceOf(IOException.class)
          .hasMessageContaining("closed");
    }
  }
}
