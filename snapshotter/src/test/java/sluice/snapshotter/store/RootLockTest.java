package sluice.snapshotter.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RootLockTest {

  @TempDir Path root;

  @Test
  void take_twiceInThisProcess() throws Exception {
    try (RootLock first = RootLock.take(root)) {
      assertThat(first).isNotNull();
      assertThatThrownBy(() -> RootLock.take(root))
          .hasMessageContaining("in use by another Sluice");
      assertThat(anotherProcessTakesIt()).contains("process " + ProcessHandle.current().pid());
    }
    assertThat(anotherProcessTakesIt()).isEqualTo("taken");
    RootLock.take(root).close();
  }

  private String anotherProcessTakesIt() throws Exception {
    Path output = root.resolve("output");
    Process process =
        StoreProcess.builder("lock", root.toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    return Files.readString(output).strip();
  }
}
