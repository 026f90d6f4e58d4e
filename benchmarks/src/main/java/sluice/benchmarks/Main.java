package sluice.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Where {@code bin/benchmark} begins, but for {@code firstpull}, which is a script. */
public final class Main {

  private static final String USAGE =
      """
      usage: benchmark transports [--rounds N] [--directory DIR]
             benchmark heap [--files N] [--directory DIR]
             benchmark toc [--files N] [--directory DIR]
             benchmark stall [--rounds N] [--directory DIR]
             benchmark firstpull [--rounds N] [IMAGE]
             benchmark hash
             benchmark decode

      transports  reads a tree as a plain directory, through /dev/fuse itself and through jnr-fuse,
                  and compares them; drops the host's caches again and again. 2 GiB of disk,
                  about 2 minutes
      heap        mounts an image of 1,000,000 files and prints how much of the heap that takes
      toc         indexes a layer by a table of contents of 1,000,000 files and mounts it; prints
                  how long that takes, and how much of the heap; 1 GiB of disk, a minute
      stall       reads cached data of one image, by turns while nobody waits and while 64 programs
                  wait for another image whose registry hangs; half a minute
      firstpull   pulls an ordinary image by containerd and by Sluice, with and without an index
                  made of it, and runs it by that index on an empty node; needs what quickstart
                  installs
      hash        measures what a core hashes, by JMH; 2 minutes
      decode      measures what a core decodes of each encoding, and inflates by each library that
                  is there, beside the library alone, by JMH; 8 minutes

        --rounds N       how often everything is measured (5; firstpull: 7, stall: 15)
        --files N        how many files the image has (1000000)
        --directory DIR  a directory on the disk to be measured, not tmpfs (/var/tmp)

      transports, heap, toc, stall and firstpull need root. Exit status: 0 done, 1 failed, 2 wrong usage.
      """;

  private static final int MAX_NUMBER = 10_000_000;

  /** A command line that means nothing. */
  private static final class UsageException extends Exception {
    private static final long serialVersionUID = 1;

    UsageException(String message) {
      super(message);
    }
  }

  private Main() {}

  /** Runs the benchmark that the arguments name and ends the process. */
  public static void main(String[] arguments) {
    System.exit(run(List.of(arguments)));
  }

  private static int run(List<String> arguments) {
    if (arguments.equals(List.of("--help"))) {
      System.out.print(USAGE);
      return 0;
    }
    try {
      benchmark(arguments);
      return 0;
    } catch (UsageException e) {
      System.err.println("benchmark: " + e.getMessage());
      System.err.print(USAGE);
      return 2;
    } catch (IOException e) {
      System.err.println("benchmark: " + e);
      return 1;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 1;
    }
  }

  private static void benchmark(List<String> arguments)
      throws IOException, InterruptedException, UsageException {
    String name = arguments.isEmpty() ? "" : arguments.getFirst();
    if (name.equals("hash") || name.equals("decode")) {
      codec(name, arguments);
      return;
    }
    String numberOption =
        switch (name) {
          case "transports", "stall" -> "--rounds";
          case "heap", "toc" -> "--files";
          default -> throw new UsageException("no benchmark of this name: \"" + name + '"');
        };
    int number =
        switch (name) {
          case "heap", "toc" -> 1_000_000;
          case "stall" -> 15;
          default -> 5;
        };
    Path directory = Path.of("/var/tmp");
    for (int i = 1; i < arguments.size(); i += 2) {
      String option = arguments.get(i);
      if (i + 1 == arguments.size()) {
        throw new UsageException(option + ": a value is missing");
      }
      String value = arguments.get(i + 1);
      if (option.equals(numberOption)) {
        number = number(option, value);
      } else if (option.equals("--directory")) {
        directory = Path.of(value).toAbsolutePath();
      } else {
        throw new UsageException("unknown option " + option);
      }
    }
    try (Scratch scratch = Scratch.create(directory)) {
      switch (name) {
        case "heap" -> HeapBenchmark.run(scratch, number, System.out);
        case "toc" -> TocBenchmark.run(scratch, number, System.out);
        case "stall" -> StallBenchmark.run(scratch, number, System.out);
        default -> TransportBenchmark.run(scratch, number, System.out);
      }
    }
  }

  private static void codec(String name, List<String> arguments)
      throws IOException, UsageException {
    if (arguments.size() > 1) {
      throw new UsageException(name + " takes no options, found " + arguments.get(1));
    }
    if (name.equals("hash")) {
      CodecBenchmarks.hash(System.out);
    } else {
      CodecBenchmarks.decode(System.out);
    }
  }

  private static int number(String option, String value) throws UsageException {
    try {
      int number = Integer.parseInt(value);
      if (number >= 1 && number <= MAX_NUMBER) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Refused below, like one that is out of range.
    }
    throw new UsageException(
        "%s: a number from 1 to %d expected, found \"%s\"".formatted(option, MAX_NUMBER, value));
  }
}
