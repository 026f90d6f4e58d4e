package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.core.Repository;

final class ChunkCacheTest {
  private final Random random = new Random(7);
  private TestCache cache;

  @BeforeEach
  void openCache(@TempDir Path directory) throws IOException {
    cache = new TestCache(directory.resolve("devices"));
  }

  @AfterEach
  void closeCache() throws IOException {
    cache.close();
  }

  private TestDevice mixed() {
    return TestDevice.builder()
        .hashedWith(Digest.Algorithm.BLAKE3)
        .plain(bytes(5000))
        .gzip(bytes(100_000))
        .hole(123)
        .batch(77, bytes(10), bytes(9000), bytes(3))
        .zeros(20_001)
        .gap(300)
        .span(bytes(40_000))
        .build();
  }

  private byte[] bytes(int length) {
    return TestDevice.random(random, length);
  }

  @Test
  void ensure_eachKindOfChunk_givesTheContent() throws Exception {
    TestDevice expected = mixed();
    LazyDevice device = cache.add(expected);
    assertThat(device.present(0, 1)).isFalse();
    TestCache.assertHolds(device, expected);
    assertThat(cache.source.requests()).hasSize(1);
  }

  @Test
  void ensure_again_asksNobody() throws Exception {
    TestDevice expected = mixed();
    LazyDevice device = cache.add(expected);
    device.ensure(0, device.lengthBytes(), Lane.DEMAND);
    int requests = cache.source.requests().size();
    for (int i = 0; i < 100; i++) {
      device.ensure(0, device.lengthBytes(), Lane.DEMAND);
    }
    assertThat(cache.source.requests()).hasSize(requests);
  }

  @Test
  void ensure_demand_asksForOneMebibyteOrMore() throws Exception {
    TestDevice.Builder builder = TestDevice.builder();
    for (int i = 0; i < 64; i++) {
      builder.plain(bytes(64 << 10));
    }
    TestDevice expected = builder.build();
    LazyDevice device = cache.add(expected);
    TestCache.assertRange(device, expected, 10 * (64 << 10) + 5, 10);
    assertThat(cache.source.requests())
        .singleElement()
        .satisfies(request -> {
          assertThat(request.range().offset()).isEqualTo(10L * (64 << 10));
          assertThat(request.range().length()).isEqualTo(1L << 20);
        });
    assertThat(device.present(0, 1)).isFalse();
    device.ensure(60L * (64 << 10), 1, Lane.FILL);
    assertThat(cache.source.requests().getLast().range().length()).isEqualTo(64L << 10);
  }

  @Test
  void ensure_zerosOnly_asksNobodyAndTakesNoSpace() throws Exception {
    TestDevice expected = TestDevice.builder().zeros(1 << 20).build();
    LazyDevice device = cache.add(expected);
    TestCache.assertHolds(device, expected);
    assertThat(cache.source.requests()).isEmpty();
    assertThat(BlocksOnDisk.of(device.file())).isZero();
  }

  @Test
  void ensure_outsideTheDevice_isRefused() throws Exception {
    LazyDevice device = cache.add(mixed());
    assertThatThrownBy(() -> device.ensure(device.lengthBytes(), 1, Lane.DEMAND))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> device.present(-1, 1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> device.present(1, Long.MAX_VALUE))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void add_sameIndexTwice_givesTheSameDevice() throws Exception {
    TestDevice expected = mixed();
    LazyDevice device = cache.add(expected);
    Repository other = Repository.parse("mirror.example/demo");
    assertThat(cache.cache().add(expected.index(), Set.of(other))).isSameAs(device);
    assertThat(cache.cache().open(device.id())).isSameAs(device);
    cache.reopen();
    assertThat(cache.cache().report().devices())
        .singleElement()
        .satisfies(entry ->
            assertThat(entry.holders())
                .containsExactlyInAnyOrder(other, TestCache.HOLDERS.iterator().next()));
    assertNothingLeftOver();
  }

  @Test
  void open_unknownDevice_isNoSuchFile() {
    DeviceId id = new DeviceId("0".repeat(64));
    assertThatThrownBy(() -> cache.cache().open(id)).isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void reopen_sameBoot_keepsAllThatIsPresent() throws Exception {
    cache.syncEvery = Duration.ofHours(1);
    cache.reopen();
    TestDevice expected = mixed();
    DeviceId id = cache.add(expected).id();
    cache.cache().open(id).ensure(0, expected.content().length, Lane.DEMAND);
    cache.reopen();
    cache.source.requests().clear();
    TestCache.assertHolds(cache.cache().open(id), expected);
    assertThat(cache.source.requests()).isEmpty();
  }

  @Test
  void reopen_otherBootAfterClose_keepsAllThatWasSynced() throws Exception {
    TestDevice expected = mixed();
    DeviceId id = cache.add(expected).id();
    cache.cache().open(id).ensure(0, expected.content().length, Lane.DEMAND);
    cache.boot = new UUID(2, 2);
    cache.reopen();
    cache.source.requests().clear();
    TestCache.assertHolds(cache.cache().open(id), expected);
    assertThat(cache.source.requests()).isEmpty();
  }

  @Test
  void open_secondTime_isRefusedWithTheOwner() {
    assertThatThrownBy(() -> new TestCache(cache.directory()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("is in use by process " + ProcessHandle.current().pid());
  }

  @Test
  void retain_deletesOthers() throws Exception {
    LazyDevice kept = cache.add(mixed());
    LazyDevice gone = cache.add(mixed());
    gone.ensure(0, gone.lengthBytes(), Lane.DEMAND);
    cache.cache().retain(List.of(kept.id()));
    assertThat(Files.exists(gone.file())).isFalse();
    assertThatThrownBy(() -> cache.cache().open(gone.id())).isInstanceOf(NoSuchFileException.class);
    kept.ensure(0, kept.lengthBytes(), Lane.DEMAND);
    assertNothingLeftOver();
  }

  @Test
  void retain_deviceThatIsRead_stays() throws Exception {
    TestDevice expected = mixed();
    LazyDevice device = cache.add(expected);
    cache.source.behave(request -> cache.cache().retain(List.of()));
    TestCache.assertHolds(device, expected);
    assertThat(cache.cache().open(device.id())).isSameAs(device);
  }

  @Test
  void ensure_deletedDevice_saysSo() throws Exception {
    LazyDevice device = cache.add(mixed());
    cache.cache().retain(List.of());
    assertThatThrownBy(() -> device.ensure(0, 1, Lane.DEMAND))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("was deleted");
  }

  @Test
  void occupiedBytes_growsByWhatIsFetched() throws Exception {
    TestDevice expected = TestDevice.builder().plain(bytes(1 << 20)).build();
    LazyDevice device = cache.add(expected);
    long before = cache.cache().occupiedBytes(device.id());
    assertThat(before).isLessThan(64 << 10);
    device.ensure(0, 1, Lane.DEMAND);
    assertThat(cache.cache().occupiedBytes(device.id())).isEqualTo(before + (1 << 20));
  }

  @Test
  void check_damagedZeros_areZerosAgain() throws Exception {
    TestDevice expected =
        TestDevice.builder().plain(bytes(10)).zeros(600_000).plain(bytes(10)).build();
    for (boolean staged : List.of(false, true)) {
      LazyDevice device = cache.add(expected);
      TestCache.assertHolds(device, expected);
      try (RandomAccessFile file = new RandomAccessFile(device.file().toFile(), "rw")) {
        file.seek(500_000);
        file.write(1);
      }
      assertThat(cache.cache().check(device.id(), CheckReport.Listener.NONE).bad()).hasSize(1);
      assertThat(device.present(500_000, 1)).isFalse();
      if (staged) {
        try (DeviceStore.Staged copy = cache.cache().stage()) {
          copy.write(ByteBuffer.wrap(expected.content()), 0);
          assertThat(copy.finish(expected.index(), TestCache.HOLDERS)).isSameAs(device);
        }
      }
      TestCache.assertHolds(device, expected);
      assertThat(BlocksOnDisk.of(device.file())).isLessThan(300_000);
    }
  }

  @Test
  void open_damagedTable_isCorruptAndMadeAnewByAdd() throws Exception {
    TestDevice expected = mixed();
    LazyDevice device = cache.add(expected);
    device.ensure(0, device.lengthBytes(), Lane.DEMAND);
    cache.close();
    Path table = device.file().resolveSibling(DeviceFiles.CHUNKS);
    byte[] bytes = Files.readAllBytes(table);
    bytes[200]++;
    Files.write(table, bytes);
    cache = new TestCache(cache.directory());
    assertThatThrownBy(() -> cache.cache().open(device.id()))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining(table.toString());
    assertThat(cache.cache().report().unreadable()).hasSize(1);
    LazyDevice again = cache.add(expected);
    assertThat(again.id()).isEqualTo(device.id());
    TestCache.assertHolds(again, expected);
  }

  @Test
  void open_damagedPresence_startsEmpty() throws Exception {
    TestDevice expected = mixed();
    LazyDevice device = cache.add(expected);
    device.ensure(0, device.lengthBytes(), Lane.DEMAND);
    cache.close();
    Files.write(device.file().resolveSibling(DeviceFiles.PRESENCE), new byte[5000]);
    cache = new TestCache(cache.directory());
    cache.source.put(expected);
    LazyDevice again = cache.cache().open(device.id());
    assertThat(again.present(0, 1)).isFalse();
    TestCache.assertHolds(again, expected);
  }

  @Test
  void openFiles_manyDevices_stayBounded() throws Exception {
    for (int i = 0; i < 60; i++) {
      LazyDevice device = cache.add(TestDevice.builder().plain(bytes(4096)).build());
      device.ensure(0, 4096, Lane.DEMAND);
    }
    cache.reopen();
    for (CacheReport.Entry entry : cache.cache().report().devices()) {
      assertThat(entry.presentChunks()).isEqualTo(1);
    }
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      assertThat(open.filter(this::isData).count()).isLessThanOrEqualTo(16);
    }
  }

  private boolean isData(Path fd) {
    try {
      return Files.readSymbolicLink(fd).toString().startsWith(cache.directory() + "/")
          && Files.readSymbolicLink(fd).endsWith(DeviceFiles.DATA);
    } catch (IOException e) {
      // It was closed meanwhile.
      return false;
    }
  }

  private void assertNothingLeftOver() throws IOException {
    try (Stream<Path> paths = Files.list(cache.directory())) {
      assertThat(paths.map(path -> path.getFileName().toString()))
          .noneMatch(name -> name.startsWith("."));
    }
  }
}
