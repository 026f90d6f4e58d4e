package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import sluice.linux.MountTable;

final class LostRootsTest {

  private static final Path ROOT = Path.of("/var/lib/sluice");

  @Test
  void of_overlaysOnImagesOfTheRoot_findsThem() {
    assertThat(
            LostRoots.of(
                List.of(
                    overlay("/run/one", "rw,lowerdir=/var/lib/sluice/m/a1/fs,upperdir=/u"),
                    overlay("/run/two", "rw,lowerdir=/other/fs:/var/lib/sluice/m/b2/fs"),
                    overlay("/run/new", "rw,lowerdir+=/var/lib/sluice/m/c3/fs"),
                    overlay("/run/local", "rw,lowerdir=/var/lib/sluice/snapshots/1/fs"),
                    overlay("/run/else", "rw,lowerdir=/var/lib/sluice2/m/a1/fs"),
                    new MountTable.Entry("0:9", "/var/lib/sluice/m/a1", "fuse.sluice", "ro")),
                ROOT))
        .containsExactly("/run/one", "/run/two", "/run/new");
  }

  private static MountTable.Entry overlay(String target, String options) {
    return new MountTable.Entry("0:1", target, "overlay", options);
  }
}
