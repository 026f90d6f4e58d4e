package sluice.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import sluice.cache.ChunkCache;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.DeviceIndex;
import sluice.core.Digest;
import sluice.core.LazyDevice;
import sluice.core.Placement;
import sluice.core.Repository;
import sluice.erofs.LayerTree;

/**
 * What a mounted image of very many files takes of the heap: the live heap of a process that serves
 * it, less that of one that serves an image of one file. Each file is a chunk of its own, and the
 * kernel has looked at every one.
 */
final class HeapBenchmark {

  private static final int FILES_PER_DIRECTORY = 1000;
  private static final int FILE_BYTES = 4096;
  private static final double MEGA = 1e6;

  /** What the whole image may take: nothing may be kept for each file. */
  private static final double BOUND_MEGABYTES = 5;

  private HeapBenchmark() {}

  /** Runs it in {@code scratch} and prints the difference. */
  static void run(Scratch scratch, int files, PrintStream out)
      throws IOException, InterruptedException {
    out.println(Host.description());
    long one = liveHeap(scratch, 1);
    out.printf("image of 1 file:          live heap %.2f MB%n", one / MEGA);
    long many = liveHeap(scratch, files);
    out.printf("image of %,9d files:   live heap %.2f MB%n", files, many / MEGA);
    double more = (many - one) / MEGA;
    out.printf(
        "difference:               %.2f MB (bound < %.0f MB: %s)%n",
        more, BOUND_MEGABYTES, more < BOUND_MEGABYTES ? "met" : "MISSED");
  }

  private static long liveHeap(Scratch scratch, int files)
      throws IOException, InterruptedException {
    String name = "served-" + files;
    Path served = Files.createDirectory(scratch.resolve(name));
    Path image = served.resolve("image.erofs");
    try (ChunkCache cache = Server.cache(served, new StoppedRegistry())) {
      write(files, cache, image);
    }
    try (ServerProcess server = scratch.serve(name)) {
      Path mounted = server.mount(Target.RAW, image);
      Host.run(List.of("ls", "-lR", mounted.toString()));
      return server.heapBytes();
    }
  }

  private static void write(int files, ChunkCache cache, Path image) throws IOException {
    LayerTree tree = new LayerTree("benchmark");
    for (int i = 0; i < files; i++) {
      String path = "d%04d/file-%07d".formatted(i / FILES_PER_DIRECTORY, i);
      ImageFile.add(tree, path, FILE_BYTES, (long) i * FILE_BYTES);
    }
    Iterable<Chunk> chunks = () -> chunks(files);
    DeviceIndex index =
        new DeviceIndex(Digest.sha256(new byte[0]), (long) files * FILE_BYTES, chunks);
    Set<Repository> holders = Set.of(new Repository.InLayout(image));
    LazyDevice device = cache.add(index, holders);
    ImageFile.write(tree, device, image);
  }

  private static Iterator<Chunk> chunks(int files) {
    return IntStream.range(0, files).mapToObj(HeapBenchmark::chunk).iterator();
  }

  /** The chunk of one file. It is never fetched, so its digest need only differ from others. */
  private static Chunk chunk(int number) {
    long offset = (long) number * FILE_BYTES;
    Digest digest = new Digest(Digest.Algorithm.SHA256, "%064x".formatted(number));
    return new Chunk(
        new ByteRange(offset, FILE_BYTES),
        new ChunkEncoding.Plain(),
        FILE_BYTES,
        null,
        List.of(new Placement(0, FILE_BYTES, offset, digest)));
  }
}
