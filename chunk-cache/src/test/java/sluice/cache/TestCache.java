package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import sluice.cache.CacheSettings.LaneLimits;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.core.Repository;
import sluice.core.StatementCheck;

/** A cache over a registry in memory, that can be closed and opened again. */
final class TestCache implements Closeable {
  static final Set<Repository> HOLDERS = Set.of(Repository.parse("registry.example/demo"));

  final MemorySource source = new MemorySource();
  final RecordingListener listener = new RecordingListener();
  UUID boot = new UUID(1, 1);
  Failpoints failpoints = Failpoints.NONE;
  StatementCheck statements = StatementCheck.NONE;
  Duration syncEvery = Duration.ofMillis(20);
  LaneLimits limits = new LaneLimits(16, 64L << 20, 128L << 20);

  private final Path directory;
  private ChunkCache cache;

  TestCache(Path directory) throws IOException {
    this.directory = directory;
    this.cache = open();
  }

  private ChunkCache open() throws IOException {
    CacheSettings settings =
        new CacheSettings(
            boot,
            syncEvery,
            64L << 20,
            16,
            32L << 20,
            Map.of(Lane.DEMAND, limits, Lane.STARTUP, limits, Lane.FILL, limits));
    return ChunkCache.open(
        directory,
        source,
        new JdkDecoder(),
        (statement, decoded, resource) -> statements.check(statement, decoded, resource),
        settings,
        listener,
        point -> failpoints.reached(point));
  }

  ChunkCache cache() {
    return cache;
  }

  Path directory() {
    return directory;
  }

  void reopen() throws IOException {
    cache.close();
    cache = open();
  }

  LazyDevice add(TestDevice device) throws IOException {
    source.put(device);
    return cache.add(device.index(), HOLDERS);
  }

  /** Reads as a mount does: what is not present is asked for first. */
  static byte[] read(LazyDevice device, long offset, int length)
      throws IOException, InterruptedException {
    if (!device.present(offset, length)) {
      device.ensure(offset, length, Lane.DEMAND);
    }
    assertThat(device.present(offset, length)).isTrue();
    return readFile(device, offset, length);
  }

  static byte[] readFile(LazyDevice device, long offset, int length) throws IOException {
    try (FileChannel file = FileChannel.open(device.file(), StandardOpenOption.READ)) {
      ByteBuffer into = ByteBuffer.allocate(length);
      Disk.read(file, into, offset);
      return into.array();
    }
  }

  static void assertHolds(LazyDevice device, TestDevice expected)
      throws IOException, InterruptedException {
    assertRange(device, expected, 0, expected.content().length);
  }

  static void assertRange(LazyDevice device, TestDevice expected, int offset, int length)
      throws IOException, InterruptedException {
    byte[] found = read(device, offset, length);
    byte[] right = Arrays.copyOfRange(expected.content(), offset, offset + length);
    assertThat(Arrays.mismatch(found, right)).as("first wrong byte after %d", offset).isEqualTo(-1);
  }

  @Override
  public void close() throws IOException {
    cache.close();
  }
}
