package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

final class PullCommandTest {

  private final StringWriter err = new StringWriter();

  @Test
  void wrongUsage_endsWith2() {
    assertThat(usage()).isEqualTo(2);
    assertThat(err.toString()).contains("Missing required parameter: 'IMAGE'");
    assertThat(usage("UPPER:tag")).isEqualTo(2);
    assertThat(err.toString()).contains("\"library/UPPER\" is no repository name");
    assertThat(usage("--platform", "linux", "debian")).isEqualTo(2);
    assertThat(err.toString()).contains("os/architecture[/variant] expected, found \"linux\"");
    assertThat(usage("--wrong", "debian")).isEqualTo(2);
  }

  @Test
  void noContainerd_isAFailure(@TempDir Path directory) {
    String socket = directory.resolve("none.sock").toString();
    assertThat(SluiceCommand.run("pull", "--containerd", socket, "debian")).isEqualTo(1);
  }

  private int usage(String... arguments) {
    return new CommandLine(new PullCommand()).setErr(new PrintWriter(err, true)).execute(arguments);
  }
}
