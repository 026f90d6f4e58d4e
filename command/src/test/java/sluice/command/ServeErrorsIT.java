package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a person sees who starts the daemon wrongly. */
@Timeout(180)
final class ServeErrorsIT {

  private static final Path COMMAND =
      Path.of(System.getProperty("sluice.project"), "bin", "sluice");
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir private Path temporary = Path.of("");
  private Path config = Path.of("");

  @BeforeEach
  void writeConfig() throws IOException {
    config = Files.writeString(temporary.resolve("config.toml"), "[metrics]\naddress = \"\"\n");
  }

  @AfterEach
  void unmount() throws Exception {
    Shell.unmountBelow(temporary);
  }

  @Test
  void secondDaemon_onOneRoot_isRefused() throws Exception {
    try (Node first = Node.start()) {
      Shell.Result second = serve(first.directory().resolve("root"));
      assertThat(second.status()).isEqualTo(1);
      assertThat(lastLine(second)).startsWith("sluice: ").contains(first.directory() + "/root");
      assertThat(first.daemon().isAlive()).isTrue();
    }
  }

  @Test
  void portOfMetrics_thatIsTaken_isNamed() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String address = "127.0.0.1:" + taken.getLocalPort();
      Files.writeString(config, "[metrics]\naddress = \"" + address + "\"\n");
      Shell.Result result = serve(temporary.resolve("root"));
      assertThat(result.status()).isEqualTo(1);
      assertThat(lastLine(result)).startsWith("sluice: ").contains(address);
    }
  }

  @Test
  void unknownKey_namesTheNearestOne() throws Exception {
    Files.writeString(config, "[metrics]\nadress = \"\"\n");
    Shell.Result result = serve(temporary.resolve("root"));
    assertThat(result.status()).isEqualTo(1);
    assertThat(lastLine(result))
        .startsWith("sluice: ")
        .contains(config.toString(), "adress", "metrics.address");
  }

  @Test
  void missingConfiguration_isNamed() throws Exception {
    Files.delete(config);
    Shell.Result result = serve(temporary.resolve("root"));
    assertThat(result.status()).isEqualTo(1);
    assertThat(lastLine(result)).startsWith("sluice: ").contains(config.toString());
  }

  @Test
  void missingConfiguration_isNamed_alsoByAServiceThatHasNoLocale() throws Exception {
    Shell.Result result =
        Shell.run(
            "sh",
            "-c",
            "exec env -i PATH=\"$PATH\" JAVA_HOME=\"$1\" \"$2\" serve --config \"$(printf 'caf\\303\\251.toml')\"",
            "sh",
            System.getProperty("java.home"),
            COMMAND.toString());
    assertThat(result.status()).isEqualTo(1);
    assertThat(lastLine(result)).startsWith("sluice: ").contains("caf\u00e9.toml");
  }

  @Test
  void nobody_isToldThatItTakesRoot() throws Exception {
    Path root = Files.createDirectory(temporary.resolve("root"));
    Shell.Result result =
        Shell.run(
            LIMIT,
            List.of(
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                COMMAND.toString(),
                "serve",
                "--root",
                root.toString(),
                "--address",
                temporary.resolve("s.sock").toString()));
    assertThat(result.status()).isEqualTo(1);
    assertThat(lastLine(result)).startsWith("sluice: ").contains("root");
  }

  @Test
  void wrongFlag_isWrongUsage() throws Exception {
    Shell.Result result = Shell.run(COMMAND.toString(), "serve", "--rot", "/nowhere");
    assertThat(result.status()).isEqualTo(2);
    assertThat(result.output()).contains("--rot", "--root");
  }

  private Shell.Result serve(Path root) throws IOException, InterruptedException {
    return Shell.run(
        LIMIT,
        List.of(
            COMMAND.toString(),
            "serve",
            "--root",
            root.toString(),
            "--address",
            temporary.resolve("s.sock").toString(),
            "--config",
            config.toString()));
  }

  private static String lastLine(Shell.Result result) {
    return result.output().strip().lines().reduce("", (before, line) -> line);
  }
}
