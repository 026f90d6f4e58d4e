package sluice.benchmarks;

import java.io.Closeable;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import sluice.cache.ChunkCache;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.LazyDevice;
import sluice.core.Placement;
import sluice.core.Repository;
import sluice.erofs.LayerTree;

/**
 * What readers of an image whose registry hangs cost the readers of another image: how long reads
 * of cached data take while nobody waits, and while 64 programs do, by turns.
 *
 * <p>Each read passes the page cache of the mount, so that the serving process answers every one.
 * Which of the two comes first changes from round to round; the first round warms up and does not
 * count.
 */
final class StallBenchmark {

  private static final int READERS = 64;
  private static final int CHUNK_BYTES = 1 << 20;
  private static final int CACHED_CHUNKS = 64;

  /** Between two readers; further than one request is made to reach. */
  private static final int CHUNKS_APART = 32;

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long POLL_MILLIS = 20;
  private static final long ALL_WAIT_MILLIS = 1000;
  private static final String FILE = "file";
  private static final String HANGING = "hanging";
  private static final String CACHED = "cached";

  /** What the 99th percentile may become. */
  private static final double BOUND = 2;

  private final Random random = new Random(1);
  private final Latencies quiet = new Latencies();
  private final Latencies stalled = new Latencies();
  private final ServerProcess server;
  private final Path cached;
  private final Path hanging;

  private StallBenchmark(ServerProcess server, Path cached, Path hanging) {
    this.server = server;
    this.cached = cached;
    this.hanging = hanging;
  }

  /** Runs it in {@code scratch} and prints medians over all rounds. */
  static void run(Scratch scratch, int rounds, PrintStream out)
      throws IOException, InterruptedException {
    out.println(Host.description());
    String name = "served";
    Path served = Files.createDirectory(scratch.resolve(name));
    Path hangingImage = served.resolve("hanging.erofs");
    Path cachedImage = served.resolve("cached.erofs");
    try (ChunkCache cache = Server.cache(served, new StoppedRegistry())) {
      writeHanging(cache, hangingImage);
      writeCached(cache, cachedImage);
    }
    try (ServerProcess server = scratch.serve(name)) {
      Path cached = server.mount(Target.RAW, cachedImage, CACHED).resolve(FILE);
      Path hanging = server.mount(Target.RAW, hangingImage, HANGING).resolve(FILE);
      StallBenchmark benchmark = new StallBenchmark(server, cached, hanging);
      String loadBefore = Host.load();
      for (int round = 0; round <= rounds; round++) {
        out.printf("round %d of %d%s%n", round, rounds, round == 0 ? " (warms up)" : "");
        benchmark.round(round % 2 == 0);
        if (round == 0) {
          benchmark.quiet.clear();
          benchmark.stalled.clear();
        }
      }
      out.printf("load average: %s before, %s after%n%n", loadBefore, Host.load());
      benchmark.print(out);
    }
  }

  private void round(boolean quietFirst) throws IOException, InterruptedException {
    if (quietFirst) {
      quiet.measure(cached, random);
    }
    try (Waiting waiting = new Waiting()) {
      waiting.begin();
      stalled.measure(cached, random);
      waiting.requireAlive();
    }
    if (!quietFirst) {
      quiet.measure(cached, random);
    }
  }

  private void print(PrintStream out) {
    String row = "| %-22s | %10s | %14s | %5s | %-10s |%n";
    out.printf(row, "cached reads of 4 KiB", "quiet", READERS + " wait", "ratio", "bound");
    out.printf(row, "---", "---:", "---:", "---:", "---");
    double p50 = stalled.median(50) / quiet.median(50);
    double p99 = stalled.median(99) / quiet.median(99);
    out.printf(row, "p50", micros(quiet.median(50)), micros(stalled.median(50)), times(p50), "");
    String verdict = "≤ %.0f %s".formatted(BOUND, p99 <= BOUND ? "met" : "MISSED");
    out.printf(
        row, "p99", micros(quiet.median(99)), micros(stalled.median(99)), times(p99), verdict);
  }

  private static String micros(double nanos) {
    return "%.1f µs".formatted(nanos / 1e3);
  }

  private static String times(double ratio) {
    return "%.2f".formatted(ratio);
  }

  /** Programs that read what does not come. Closing it fails their reads, which ends them. */
  private final class Waiting implements Closeable {
    private final List<Process> readers = new ArrayList<>();

    void begin() throws IOException, InterruptedException {
      server.hang();
      for (int i = 0; i < READERS; i++) {
        readers.add(
            new ProcessBuilder(
                    "dd",
                    "if=" + hanging,
                    "of=/dev/null",
                    "bs=4096",
                    "count=1",
                    "skip=" + (long) i * CHUNKS_APART * CHUNK_BYTES / 4096,
                    "iflag=direct",
                    "status=none")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start());
      }
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (server.waiting() == 0) {
        if (System.nanoTime() > deadline) {
          throw new IOException("nobody asked the registry within " + PATIENCE);
        }
        Thread.sleep(POLL_MILLIS);
      }
      // The cache asks for a few at a time; the others wait behind them.
      Thread.sleep(ALL_WAIT_MILLIS);
      requireAlive();
    }

    void requireAlive() throws IOException {
      if (!readers.stream().allMatch(Process::isAlive)) {
        throw new IOException("a reader of the image that hangs did not wait");
      }
    }

    @Override
    public void close() throws IOException {
      try {
        server.fail();
        for (Process reader : readers) {
          if (!reader.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new IOException("a reader waits on, though its read failed");
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        readers.forEach(Process::destroyForcibly);
      }
    }
  }

  /** An image of which nothing is there. */
  private static void writeHanging(ChunkCache cache, Path image) throws IOException {
    int chunks = READERS * CHUNKS_APART;
    DeviceIndex index =
        new DeviceIndex(
            Digest.sha256(new byte[0]),
            (long) chunks * CHUNK_BYTES,
            () -> IntStream.range(0, chunks).mapToObj(StallBenchmark::absentChunk).iterator());
    LazyDevice device = cache.add(index, Set.of(new Repository.InLayout(image)));
    write(device, image);
  }

  /** It is never fetched, so its digest need only differ from others. */
  private static Chunk absentChunk(int number) {
    return chunk(number, new Digest(Digest.Algorithm.SHA256, "%064x".formatted(number)));
  }

  /** An image of which everything is there. */
  private static void writeCached(ChunkCache cache, Path image) throws IOException {
    List<Chunk> chunks = new ArrayList<>();
    byte[] content = new byte[CHUNK_BYTES];
    Random random = new Random(2);
    try (DeviceStore.Staged staged = cache.stage()) {
      for (int i = 0; i < CACHED_CHUNKS; i++) {
        random.nextBytes(content);
        staged.write(ByteBuffer.wrap(content), (long) i * CHUNK_BYTES);
        chunks.add(chunk(i, Digest.sha256(content)));
      }
      DeviceIndex index =
          new DeviceIndex(Digest.sha256(new byte[1]), (long) CACHED_CHUNKS * CHUNK_BYTES, chunks);
      write(staged.finish(index, Set.of(new Repository.InLayout(image))), image);
    }
  }

  private static void write(LazyDevice device, Path image) throws IOException {
    LayerTree tree = new LayerTree("benchmark");
    ImageFile.add(tree, FILE, device.lengthBytes(), 0);
    ImageFile.write(tree, device, image);
  }

  private static Chunk chunk(int number, Digest digest) {
    long offset = (long) number * CHUNK_BYTES;
    return new Chunk(
        new ByteRange(offset, CHUNK_BYTES),
        new ChunkEncoding.Plain(),
        CHUNK_BYTES,
        null,
        List.of(new Placement(0, CHUNK_BYTES, offset, digest)));
  }
}
