package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.CorruptException;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.Lane;
import sluice.core.LazyDevice;

final class StagedDeviceTest {
  private final Random random = new Random(5);
  private final TestDevice expected =
      TestDevice.builder().stream(
          StreamCompression.GZIP,
          99,
          TestDevice.random(random, 100_000),
          TestDevice.random(random, 3));
  private TestCache cache;

  @BeforeEach
  void openCache(@TempDir Path directory) throws IOException {
    cache = new TestCache(directory);
    cache.source.put(expected);
  }

  @AfterEach
  void closeCache() throws IOException {
    cache.close();
  }

  private LazyDevice stage(TestDevice device) throws IOException {
    try (DeviceStore.Staged staged = cache.cache().stage()) {
      for (int at = 0; at < device.content().length; at += 1000) {
        int length = Math.min(1000, device.content().length - at);
        staged.write(ByteBuffer.wrap(device.content(), at, length), at);
      }
      return staged.finish(device.index(), TestCache.HOLDERS);
    }
  }

  @Test
  void finish_newDevice_isPresentAndSurvivesAnotherBoot() throws Exception {
    LazyDevice device = stage(expected);
    assertThat(device.present(0, device.lengthBytes())).isTrue();
    cache.boot = new UUID(3, 3);
    cache.reopen();
    TestCache.assertHolds(cache.cache().open(device.id()), expected);
    assertThat(cache.source.requests()).isEmpty();
    assertOneDevice();
  }

  @Test
  void finish_equalDeviceThatLacksTheData_fillsIt() throws Exception {
    LazyDevice known = cache.add(expected);
    LazyDevice device = stage(expected);
    assertThat(device).isSameAs(known);
    assertThat(known.present(0, known.lengthBytes())).isTrue();
    TestCache.assertHolds(known, expected);
    assertThat(cache.source.requests()).isEmpty();
    assertOneDevice();
  }

  @Test
  void finish_lostDataFile_isStreamedAgain() throws Exception {
    LazyDevice device = stage(expected);
    cache.close();
    Files.delete(device.file());
    cache = new TestCache(cache.directory());
    cache.source.put(expected);
    TestCache.assertHolds(cache.cache().open(device.id()), expected);
    assertThat(cache.source.requests()).hasSize(1);
  }

  @Test
  void finish_badIndex_leavesNothing() throws Exception {
    TestDevice overlapping =
        TestDevice.builder().plain(new byte[5000]).plain(new byte[5000]).build();
    List<Chunk> chunks = new ArrayList<>();
    overlapping.index().chunks().forEach(chunks::add);
    chunks.add(chunks.getFirst());
    DeviceIndex index =
        new DeviceIndex(overlapping.index().blob(), overlapping.index().lengthBytes(), chunks);
    try (DeviceStore.Staged staged = cache.cache().stage()) {
      assertThatThrownBy(() -> staged.finish(index, TestCache.HOLDERS))
          .isInstanceOf(CorruptException.class);
    }
    try (Stream<Path> left = Files.list(cache.directory())) {
      assertThat(left.map(path -> path.getFileName().toString())).containsExactly("lock");
    }
  }

  @Test
  void close_unfinished_deletesIt() throws Exception {
    try (DeviceStore.Staged staged = cache.cache().stage()) {
      staged.write(ByteBuffer.wrap(new byte[100]), 4096);
    }
    try (Stream<Path> left = Files.list(cache.directory())) {
      assertThat(left.map(path -> path.getFileName().toString())).containsExactly("lock");
    }
  }

  @Test
  void open_leftoversOfACrash_removesThem() throws Exception {
    cache.close();
    Path left = Files.createDirectory(cache.directory().resolve(".new-17"));
    Files.write(left.resolve("data"), new byte[10]);
    cache = new TestCache(cache.directory());
    assertThat(left).doesNotExist();
  }

  @Test
  void finish_twiceAtTheSameTime_givesOneDevice() throws Exception {
    try (DeviceStore.Staged left = cache.cache().stage();
        DeviceStore.Staged right = cache.cache().stage()) {
      left.write(ByteBuffer.wrap(expected.content()), 0);
      right.write(ByteBuffer.wrap(expected.content()), 0);
      LazyDevice device = left.finish(expected.index(), TestCache.HOLDERS);
      assertThat(right.finish(expected.index(), TestCache.HOLDERS)).isSameAs(device);
      device.ensure(0, device.lengthBytes(), Lane.DEMAND);
    }
    assertOneDevice();
  }

  private void assertOneDevice() throws IOException {
    try (Stream<Path> left = Files.list(cache.directory())) {
      assertThat(left.map(path -> path.getFileName().toString())).hasSize(2).contains("lock");
    }
  }
}
