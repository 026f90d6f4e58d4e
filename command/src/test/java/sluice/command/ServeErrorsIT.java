package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
    // A place where nobody may make what it likes.
    Path place = Files.createTempDirectory("sl");
    Files.setPosixFilePermissions(place, PosixFilePermissions.fromString("rwxrwxrwx"));
    try {
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
                  place.resolve("root").toString(),
                  "--address",
                  place.resolve("s.sock").toString()));
      assertFails(result, "mounting needs root: running as user 65534");
      assertThat(place).isEmptyDirectory();
    } finally {
      Shell.run("rm", "-r", place.toString()).done();
    }
  }

  @Test
  void fuseThatCannotBeOpened_isNamed() throws Exception {
    Path root = temporary.resolve("root");
    Shell.Result result =
        serveAfter(
            "mount --bind /dev/fuse /dev/fuse && mount -o remount,bind,nodev /dev/fuse", root);
    assertFails(result, "mounting needs FUSE: /dev/fuse is there, but can't be opened");
    assertThat(root).doesNotExist();
  }

  @Test
  void rootOnOverlayfs_isRefused() throws Exception {
    for (String directory : List.of("lower", "upper", "work", "merged")) {
      Files.createDirectory(temporary.resolve(directory));
    }
    Shell.Result result =
        serveAfter(
            "cd %s && mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged"
                .formatted(temporary),
            temporary.resolve("merged/root"));
    assertFails(result, "root %s/merged/root: overlay".formatted(temporary));
    assertThat(lastLine(result)).contains("put root on a disk");
    assertThat(temporary.resolve("upper")).isEmptyDirectory();
  }

  @Test
  void rootOnTmpfs_isWarnedOf() throws Exception {
    Path place = Files.createTempDirectory(Path.of("/dev/shm"), "sl");
    try (SluiceProcess daemon =
        SluiceProcess.start(
            temporary.resolve("log"), Map.of(), arguments(place).toArray(String[]::new))) {
      assertThat(daemon.await(" serves ").log())
          .containsPattern(" WARN .*root %s: tmpfs".formatted(place));
      assertThat(daemon.stop()).isZero();
    } finally {
      Shell.run("rm", "-r", place.toString()).done();
    }
  }

  @Test
  void rootThatIsAFile_isNamed() throws Exception {
    Path file = Files.createFile(temporary.resolve("file"));
    assertFails(serve(file), "root %s: is not a directory".formatted(file));
    assertFails(
        serve(file.resolve("root")), "root %s/root: %s is not a directory".formatted(file, file));
  }

  @Test
  void addressThatIsTooLong_isRefusedBeforeAnythingIsMade() throws Exception {
    Path root = temporary.resolve("root");
    Path address = temporary.resolve("a".repeat(120)).resolve("s.sock");
    Shell.Result result =
        Shell.run(
            LIMIT,
            List.of(
                COMMAND.toString(),
                "serve",
                "--root",
                root.toString(),
                "--address",
                address.toString(),
                "--config",
                config.toString()));
    assertFails(result, "socket " + address);
    assertThat(root).doesNotExist();
    assertThat(address.getParent()).doesNotExist();
  }

  @Test
  void addressOfMetrics_thatIsNone_isNamedBeforeAnythingIsMade() throws Exception {
    Path root = temporary.resolve("root");
    Files.writeString(config, "[metrics]\naddress = \"nonsense\"\n");
    assertFails(serve(root), config + ": metrics.address must be host:port");
    assertThat(root).doesNotExist();
  }

  @Test
  void wrongFlag_isWrongUsage() throws Exception {
    Shell.Result result = Shell.run(COMMAND.toString(), "serve", "--rot", "/nowhere");
    assertThat(result.status()).isEqualTo(2);
    assertThat(result.output()).contains("--rot", "--root");
  }

  private Shell.Result serve(Path root) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(COMMAND.toString()));
    command.addAll(arguments(root));
    return Shell.run(LIMIT, command);
  }

  /** Serves with mounts of its own, which end with it. */
  private Shell.Result serveAfter(String mount, Path root)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "unshare",
                "--mount",
                "sh",
                "-c",
                mount + " && exec \"$@\"",
                "sh",
                COMMAND.toString()));
    command.addAll(arguments(root));
    return Shell.run(LIMIT, command);
  }

  private List<String> arguments(Path root) {
    return List.of(
        "serve",
        "--root",
        root.toString(),
        "--address",
        temporary.resolve("s.sock").toString(),
        "--config",
        config.toString());
  }

  private static void assertFails(Shell.Result result, String beginning) {
    assertThat(result.status()).as(result.output()).isEqualTo(1);
    assertThat(lastLine(result)).startsWith("sluice: " + beginning);
  }

  private static String lastLine(Shell.Result result) {
    return result.output().strip().lines().reduce("", (before, line) -> line);
  }
}
