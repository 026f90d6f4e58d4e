package sluice.formats.zstdchunked;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Trees that ask for all the heap do not end a process that has the daemon's options. */
@Timeout(300)
class HugeTreesTest {

  @TempDir Path directory;

  @Test
  void index_ofWhatTakesAllHeap_isRefusedAndTheProcessGoesOn() throws Exception {
    Path log = directory.resolve("log");
    // As bin/sluice has it.
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx1g",
                "-XX:+ExitOnOutOfMemoryError",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                HugeTrees.class.getName(),
                directory.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    int exit;
    try {
      exit = process.waitFor();
    } finally {
      process.destroyForcibly();
    }
    List<String> said = Files.readAllLines(log, UTF_8);
    assertThat(exit).as(said.toString()).isZero();
    for (String table : List.of("xattrs", "paths")) {
      assertThat(said)
          .anyMatch(line ->
              line.matches(
                  table
                      + ": tree: takes \\d+ bytes of the heap, at most \\d+ \\(resource=TOC of layer sha256:.*"));
    }
    for (String stream : List.of("stream", "sparse")) {
      assertThat(said)
          .anyMatch(line ->
              line.matches(
                  stream
                      + ": tree: takes \\d+ bytes of the heap, at most \\d+ of a layer that streams \\(resource=layer sha256:.*"));
    }
    assertThat(said).contains("million: indexed");
  }
}
