package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import sluice.fuse.Transport;
import sluice.testing.Fixtures;
import sluice.testing.TreeListing;

/** {@code sluice mount} as a process of its own, from its first line to its end. */
@Timeout(180)
final class MountCommandIT {

  @TempDir private Path temporary = Path.of("");

  @AfterEach
  void unmount() throws Exception {
    Shell.unmountBelow(temporary);
  }

  @ParameterizedTest
  @EnumSource
  void mount_showsTheTreeUntilItIsInterrupted(Transport transport) throws Exception {
    Fixtures reader = Fixtures.of("reader");
    Path target = Files.createDirectory(temporary.resolve("mnt"));
    try (SluiceProcess sluice =
        mount(transport, "oci:" + reader.directory() + ":" + Fixtures.SOURCE, target)
            .await(" is mounted at ")) {
      assertThatTree(TreeListing.of(target)).isTree(reader.expected());
      assertThat(Files.readString(Path.of("/proc/" + sluice.pid() + "/maps")).contains("libfuse"))
          .isEqualTo(transport == Transport.JNR);
      assertThat(sluice.interrupt()).isZero();
      assertThat(sluice.log().lines()).hasSize(1);
    }
    assertThat(target).isEmptyDirectory();
    assertThat(Files.readString(Path.of("/proc/self/mounts"))).doesNotContain(target.toString());
  }

  @Test
  void mount_withSuid_stillHasNoDevices() throws Exception {
    Path target = Files.createDirectory(temporary.resolve("mnt"));
    try (SluiceProcess sluice =
        SluiceProcess.start(
                temporary.resolve("log"),
                Map.of(),
                "mount",
                "--root",
                temporary.resolve("root").toString(),
                "--suid",
                "oci:" + Fixtures.of("pause").directory() + ":" + Fixtures.SOURCE,
                target.toString())
            .await(" is mounted at ")) {
      assertThat(Files.readAllLines(Path.of("/proc/self/mounts")))
          .filteredOn(line -> line.contains(target.toString()))
          .singleElement()
          .asString()
          .contains("nodev")
          .doesNotContain("nosuid");
      assertThat(sluice.stop()).isZero();
    }
  }

  private SluiceProcess mount(Transport transport, String image, Path target) throws IOException {
    return SluiceProcess.start(
        temporary.resolve("log"),
        Map.of(),
        "mount",
        "--root",
        temporary.resolve("root").toString(),
        "--platform",
        "linux/amd64",
        "--transport",
        transport.name().toLowerCase(Locale.ROOT),
        image,
        target.toString());
  }
}
