package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import sluice.cache.CacheSettings.LaneLimits;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.core.StatementCheck;

/**
 * A process that reads from a cache until it is killed. Exits with {@link #WRONG} if a byte that is
 * said to be present is not the right one.
 */
final class CrashedReader {
  static final int WRONG = 3;
  private static final String READY = "present: ";

  private static final int READERS = 4;

  private CrashedReader() {}

  /**
   * Arguments: directory, seed of the devices, seed of the reads, failpoint, number of the boot.
   */
  public static void main(String[] args) throws Exception {
    List<TestDevice> expected = devices(Long.parseLong(args[1]));
    UUID boot = new UUID(0, Long.parseLong(args[4]));
    ChunkCache cache = open(Path.of(args[0]), expected, Failpoints.parse(args[3]), boot);
    List<LazyDevice> devices = new ArrayList<>();
    long present = 0;
    for (TestDevice device : expected) {
      devices.add(cache.add(device.index(), TestCache.HOLDERS));
      present += checkPresent(devices.getLast(), device);
    }
    cache.add(TestDevice.builder().plain(new byte[] {1, 2, 3}).build().index(), TestCache.HOLDERS);
    cache.retain(devices.stream().map(LazyDevice::id).toList());
    System.out.println(READY + present);
    for (int i = 0; i < READERS; i++) {
      Random random = new Random(Long.parseLong(args[2]) * 31 + i);
      Thread.ofPlatform().start(() -> readForEver(random, devices, expected));
    }
  }

  static ChunkCache open(
      Path directory, List<TestDevice> expected, Failpoints failpoints, UUID boot)
      throws IOException {
    MemorySource source = new MemorySource();
    expected.forEach(source::put);
    LaneLimits limits = new LaneLimits(4, 8L << 20, 16L << 20);
    CacheSettings settings =
        new CacheSettings(
            boot,
            Duration.ofMillis(20),
            1L << 20,
            8,
            8L << 20,
            Map.of(Lane.DEMAND, limits, Lane.STARTUP, limits, Lane.FILL, limits));
    return ChunkCache.open(
        directory,
        source,
        new JdkDecoder(),
        StatementCheck.NONE,
        settings,
        CacheListener.NONE,
        failpoints);
  }

  /** Starts such a process. */
  static Process start(Path directory, long seed, long readSeed, String failpoint, long boot)
      throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            CrashedReader.class.getName(),
            directory.toString(),
            Long.toString(seed),
            Long.toString(readSeed),
            failpoint,
            Long.toString(boot))
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** Waits until it reads; returns how many bytes it found present, all of them right. */
  static long awaitReady(Process reader) throws IOException {
    String line = reader.inputReader().readLine();
    assertThat(line).startsWith(READY);
    return Long.parseLong(line.substring(READY.length()));
  }

  static List<TestDevice> devices(long seed) {
    Random random = new Random(seed);
    List<TestDevice> devices = new ArrayList<>();
    byte[] shared = TestDevice.random(random, 50_000);
    for (int i = 0; i < 6; i++) {
      TestDevice.Builder builder = TestDevice.builder();
      for (int k = 0; k < 200; k++) {
        byte[] bytes = TestDevice.random(random, 1 + random.nextInt(12_000));
        switch (random.nextInt(4)) {
          case 0 -> builder.plain(bytes);
          case 1 -> builder.gzip(bytes).gap(20_000);
          case 2 -> builder.batch(200, bytes, new byte[] {4, 5});
          default -> builder.plain(shared).zeros(500);
        }
      }
      devices.add(builder.build());
    }
    byte[] file = TestDevice.random(random, 3_000_000);
    devices.add(TestDevice.builder().stream(StreamCompression.NONE, 100, file, shared));
    return devices;
  }

  /** What is present must be right before anything is fetched. */
  static long checkPresent(LazyDevice device, TestDevice expected) throws IOException {
    long present = 0;
    for (var chunk : expected.index().chunks()) {
      for (var placement : chunk.placements()) {
        if (device.present(placement.deviceOffset(), placement.lengthBytes())) {
          check(device, expected, (int) placement.deviceOffset(), (int) placement.lengthBytes());
          present += placement.lengthBytes();
        }
      }
    }
    return present;
  }

  private static void check(LazyDevice device, TestDevice expected, int offset, int length)
      throws IOException {
    byte[] found = TestCache.readFile(device, offset, length);
    for (int i = 0; i < length; i++) {
      if (found[i] != expected.content()[offset + i]) {
        System.out.printf("wrong byte at %d of %s%n", offset + i, device);
        System.out.flush();
        Runtime.getRuntime().halt(WRONG);
      }
    }
  }

  private static void readForEver(
      Random random, List<LazyDevice> devices, List<TestDevice> expected) {
    try {
      while (true) {
        int which = random.nextInt(devices.size());
        int size = expected.get(which).content().length;
        int offset = random.nextInt(size);
        int length = 1 + random.nextInt(Math.min(30_000, size - offset));
        devices.get(which).ensure(offset, length, Lane.DEMAND);
        check(devices.get(which), expected.get(which), offset, length);
      }
    } catch (IOException | InterruptedException e) {
      e.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
  }
}
