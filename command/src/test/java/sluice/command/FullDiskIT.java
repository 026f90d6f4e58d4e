package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.core.Fidelity;
import sluice.snapshotter.image.KeptLayer;
import sluice.testing.Fixtures;

/** What a user sees when the disk is full, and that all goes on once there is room. */
@Timeout(180)
final class FullDiskIT {

  private static final Fixtures SMALL = Fixtures.of("small");

  @TempDir private Path temporary = Path.of("");
  private Path disk;
  private Path filler;

  /** A small ext4 on a loop device. */
  @BeforeEach
  void mountDisk() throws Exception {
    disk = Files.createDirectory(temporary.resolve("disk"));
    filler = disk.resolve("filler");
    String image = temporary.resolve("disk.ext4").toString();
    Shell.run("truncate", "-s", "48M", image).done();
    Shell.run("mkfs.ext4", "-q", "-m", "0", image).done();
    Shell.run("mount", "-o", "loop", image, disk.toString()).done();
  }

  @AfterEach
  void unmountDisk() throws Exception {
    Shell.unmountBelow(temporary);
  }

  @Test
  void read_onAFullDisk_isAnErrorUntilThereIsRoom() throws Exception {
    Path target = Files.createDirectory(temporary.resolve("mnt"));
    List<String> files = Expected.files(SMALL);
    try (SluiceProcess sluice =
        start("mount", "--root=" + disk.resolve("root"), image("nydus-zstd"), target.toString())
            .await(" is mounted at ")) {
      fill(256 << 10);

      List<String> unreadable = new ArrayList<>();
      for (String file : files) {
        Shell.Result read = Shell.sha256(target.resolve(file));
        if (read.status() == 0) {
          assertThat(read.output()).as(file).isEqualTo(Expected.sha256(SMALL, file));
        } else {
          assertThat(read.output()).as(file).contains("Input/output error");
          unreadable.add(file);
        }
      }
      assertThat(unreadable).isNotEmpty().hasSizeLessThan(files.size());
      assertThat(sluice.log()).contains("EIO", "bytes are free", "remove images or enlarge it");

      Files.delete(filler);
      for (String file : unreadable) {
        assertThat(Shell.sha256(target.resolve(file)).done())
            .as(file)
            .isEqualTo(Expected.sha256(SMALL, file));
      }
      assertThat(sluice.stop()).isZero();
    }
  }

  @Test
  void convert_onAFullDisk_saysSoAndLeavesNothing() throws Exception {
    Path work = Files.createDirectory(disk.resolve("work"));
    Path result = temporary.resolve("converted");
    fill(256 << 10);

    try (SluiceProcess sluice = convert(work, result)) {
      assertThat(sluice.end(Duration.ofSeconds(90))).isEqualTo(1);
      assertThat(sluice.log().lines())
          .filteredOn(line -> line.startsWith("sluice: "))
          .singleElement()
          .asString()
          .contains(work.toString(), "No space left on device");
    }
    assertThat(work).isEmptyDirectory();

    Files.delete(filler);
    try (SluiceProcess sluice = convert(work, result)) {
      assertThat(sluice.end(Duration.ofSeconds(90))).as(sluice.log()).isZero();
    }
    assertThat(work).isEmptyDirectory();
  }

  /** A whole layer lies on the disk while it is compared; containers need room meanwhile. */
  @Test
  void check_onADiskWithLittleRoom_isNotBegun() throws Exception {
    Path target = Files.createDirectory(temporary.resolve("mnt"));
    Digest large = SMALL.document("esgz").layers().getFirst().digest();
    try (Engine engine = Engines.open(disk.resolve("root"));
        ImageMount mount = Engines.mount(engine, image("esgz"), target)) {
      assertThat(mount.ended()).isFalse();
      KeptLayer layer =
          engine.layers().claims().open().stream()
              .filter(each -> each.key().layer().equals(large))
              .findFirst()
              .orElseThrow();
      KeptLayer.Claim claim = Objects.requireNonNull(layer.claim());
      Fidelity fidelity = engine.layers().claims().fidelity(layer.key().format()).orElseThrow();
      fill(8 << 20);

      assertThatThrownBy(() -> engine.check().lie(layer, claim, fidelity))
          .isInstanceOf(IOException.class)
          .isNotInstanceOf(CorruptException.class)
          .hasMessageContainingAll("comparing it takes", "remove images or enlarge the disk");
      assertThat(disk.resolve("root/checks")).isEmptyDirectory();

      Files.delete(filler);
      assertThat(engine.check().lie(layer, claim, fidelity)).isEmpty();
      assertThat(disk.resolve("root/checks")).isEmptyDirectory();
    }
  }

  private SluiceProcess convert(Path work, Path result) throws IOException {
    return start(
        "convert",
        "--platform=linux/amd64",
        "--work=" + work,
        image(Fixtures.SOURCE),
        "oci:" + result + ":lazy");
  }

  private SluiceProcess start(String... arguments) throws IOException {
    Path log = Files.createTempFile(temporary, "sluice", ".log");
    return SluiceProcess.start(log, Map.of(), arguments);
  }

  private static String image(String tag) {
    return "oci:" + SMALL.directory() + ":" + tag;
  }

  /** Takes all room but so much. */
  private void fill(long leftBytes) throws Exception {
    long bytes = Files.getFileStore(disk).getUsableSpace() - leftBytes;
    Shell.run("fallocate", "-l", Long.toString(bytes), filler.toString()).done();
  }
}
