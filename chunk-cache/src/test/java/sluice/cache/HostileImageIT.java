package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An image whose chunks are far longer decoded than encoded does not cost the process its life. */
@Timeout(120)
final class HostileImageIT {
  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void read_chunksThatDecodeToMoreThanTheHeap_survives(boolean equal) throws Exception {
    Process reader =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:+ExitOnOutOfMemoryError",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                HostileReader.class.getName(),
                directory.toString(),
                Boolean.toString(equal))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      List<String> lines = reader.inputReader().lines().toList();
      assertThat(reader.waitFor(10, TimeUnit.SECONDS)).isTrue();
      assertThat(lines).containsExactly("read 1 1", "all " + HostileReader.CHUNKS);
      assertThat(reader.exitValue()).isZero();
    } finally {
      reader.destroyForcibly();
    }
  }
}
