package sluice.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a layer with a TOC of very many files costs: the time until it can be mounted, the heap
 * meanwhile, in a process with the daemon's heap, and the heap that is still taken once it is
 * mounted and the kernel has looked at every file, less that of a TOC of one file.
 */
final class TocBenchmark {

  private static final double MEGA = 1e6;
  private static final double MILLIS = 1e3;

  /** What the mounted image may take: nothing may be kept for each file. */
  private static final double BOUND_MEGABYTES = 5;

  private TocBenchmark() {}

  /** Runs it in {@code scratch} and prints the figures. */
  static void run(Scratch scratch, int files, PrintStream out)
      throws IOException, InterruptedException {
    out.println(Host.description() + ", load average " + Host.load());
    long one = liveHeap(scratch, 1, out);
    long many = liveHeap(scratch, files, out);
    double more = (many - one) / MEGA;
    out.printf(
        "heap once mounted:  %.2f MB more than with one file (bound < %.0f MB: %s)%n",
        more, BOUND_MEGABYTES, more < BOUND_MEGABYTES ? "met" : "MISSED");
  }

  private static long liveHeap(Scratch scratch, int files, PrintStream out)
      throws IOException, InterruptedException {
    String name = "toc-" + files;
    Path directory = Files.createDirectory(scratch.resolve(name));
    Path blob = directory.resolve("blob");
    TocLayer.Written written = TocLayer.write(blob, files);
    Path image = directory.resolve("image.erofs");
    try (ServerProcess server = scratch.serve(name)) {
      TocIndexing.Took took = server.index(blob, written.toc(), image);
      out.printf(
          "TOC of %,9d files: %.1f MB as JSON, %.1f MB encoded, %d requests; indexed in %.2f s, merged in %.2f s (%.2f s of processor), heap at most %.0f MB%n",
          files,
          written.tocBytes() / MEGA,
          written.encodedBytes() / MEGA,
          took.requests(),
          took.indexMillis() / MILLIS,
          took.mergeMillis() / MILLIS,
          took.processorMillis() / MILLIS,
          took.peakBytes() / MEGA);
      Path mounted = server.mount(Target.RAW, image);
      Host.run(List.of("ls", "-lR", mounted.toString()));
      return server.heapBytes();
    }
  }
}
