package sluice.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import sluice.cache.ChunkCache;

/**
 * The same tree as a plain directory and through both transports, side by side.
 *
 * <p>Each round measures everything on every target, one after the other, and begins with another
 * target than the round before, so that what else the machine does falls on all of them. The first
 * round warms up and does not count. All data is in the cache: what is measured is what serving
 * costs, not fetching.
 */
final class TransportBenchmark {

  private static final int WARM_PASSES = 5;
  private static final int LISTINGS = 3;
  private static final double MEGA = 1e6;

  /** A target's root and its files. */
  private record Place(Path root, List<Path> small, Path large) {
    static Place of(Path root) {
      List<Path> small =
          IntStream.range(0, SampleTree.SMALL_FILES)
              .mapToObj(i -> root.resolve(SampleTree.smallFile(i)))
              .toList();
      return new Place(root, small, root.resolve(SampleTree.LARGE));
    }
  }

  /** Something that takes figures on one target. */
  private interface Case {
    void run(Target target, Place place) throws IOException, InterruptedException;
  }

  private final PrintStream out;
  private final Figures figures = new Figures();
  private long round;

  private TransportBenchmark(PrintStream out) {
    this.out = out;
  }

  /** Runs it in {@code scratch} and prints the table. */
  static void run(Scratch scratch, int rounds, PrintStream out)
      throws IOException, InterruptedException {
    new TransportBenchmark(out).run(scratch, rounds);
  }

  private void run(Scratch scratch, int rounds) throws IOException, InterruptedException {
    out.println(Host.description());
    out.println("writing " + SampleTree.SMALL_FILES + " small files and a large one, twice");
    String name = "served";
    Path served = Files.createDirectory(scratch.resolve(name));
    Path plain = scratch.resolve(Target.PLAIN.label());
    Path image = scratch.resolve("image.erofs");
    try (ChunkCache cache = Server.cache(served, new StoppedRegistry())) {
      SampleTree.write(plain, cache, image);
    }
    Map<Target, Place> places = new EnumMap<>(Target.class);
    places.put(Target.PLAIN, Place.of(plain));
    try (ServerProcess server = scratch.serve(name)) {
      places.put(Target.RAW, Place.of(server.mount(Target.RAW, image)));
      places.put(Target.JNR, Place.of(server.mount(Target.JNR, image)));
      requireSame(places);
      String loadBefore = Host.load();
      for (round = 0; round <= rounds; round++) {
        out.printf("round %d of %d%s%n", round, rounds, round == 0 ? " (warms up)" : "");
        round(places);
        if (round == 0) {
          figures.clear();
        }
      }
      out.printf("load average: %s before, %s after%n%n", loadBefore, Host.load());
    }
    figures.print(out);
  }

  private void round(Map<Target, Place> places) throws IOException, InterruptedException {
    List<Map.Entry<Target, Place>> order = new ArrayList<>(places.entrySet());
    Collections.rotate(order, (int) round);
    for (Case each : List.<Case>of(this::small, this::listing, this::random, this::sequential)) {
      for (Map.Entry<Target, Place> place : order) {
        each.run(place.getKey(), place.getValue());
      }
    }
  }

  private void small(Target target, Place place) throws IOException, InterruptedException {
    Host.dropAll();
    figures.add(Measure.SMALL_COLD, target, Reads.small(place.small()));
    for (int i = 0; i < WARM_PASSES; i++) {
      figures.add(Measure.SMALL_WARM, target, Reads.small(place.small()));
    }
  }

  private void listing(Target target, Place place) throws IOException, InterruptedException {
    for (int i = 0; i < LISTINGS; i++) {
      Host.dropNames();
      long began = System.nanoTime();
      Host.run(List.of("ls", "-lR", place.root().toString()));
      figures.add(Measure.LISTING, target, (System.nanoTime() - began) / 1e9);
    }
  }

  private void random(Target target, Place place) throws IOException, InterruptedException {
    Host.dropAll();
    double rate = Reads.random(place.large(), SampleTree.LARGE_BYTES, round << Integer.SIZE);
    figures.add(Measure.RANDOM_COLD, target, rate);
  }

  private void sequential(Target target, Place place) throws IOException, InterruptedException {
    Host.dropAll();
    for (Measure measure : List.of(Measure.SEQUENTIAL_COLD, Measure.SEQUENTIAL_WARM)) {
      double rate = Reads.sequential(place.large(), SampleTree.LARGE_BYTES);
      figures.add(measure, target, rate / MEGA);
    }
  }

  /** What is compared must be the same. */
  private static void requireSame(Map<Target, Place> places) throws IOException {
    Map<Target, Long> sums = new EnumMap<>(Target.class);
    for (Map.Entry<Target, Place> each : places.entrySet()) {
      Place place = each.getValue();
      sums.put(each.getKey(), Reads.checksum(place.small(), place.large(), SampleTree.LARGE_BYTES));
    }
    if (sums.values().stream().distinct().count() != 1) {
      throw new IOException("the targets differ: CRC-32C of all content " + sums);
    }
  }
}
