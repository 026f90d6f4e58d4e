package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.command.config.Config;
import sluice.formats.inflate.InflaterLibrary;

final class HostTest {

  @TempDir private Path files = Path.of("");

  private Host host(String fileSystems) throws IOException {
    Files.createDirectories(files.resolve("proc"));
    Files.writeString(files.resolve("proc/filesystems"), fileSystems);
    return new Host(files);
  }

  @Test
  void fuse_withoutDevice_isMissingAndNothingWorks() throws IOException {
    HostCheck check = host("nodev\tfuse\n").fuse();
    assertThat(check.state()).isEqualTo(HostCheck.State.MISSING);
    assertThat(check.toString()).startsWith("missing ").contains("modprobe fuse");
    assertThat(Host.works(List.of(HostCheck.ok("a", "b"), check))).isFalse();
  }

  @Test
  void fuse_withDeviceAndFileSystem_isOk() throws IOException {
    Host host = host("\tfuseblk\nnodev\tfuse\n");
    Files.createDirectories(files.resolve("dev"));
    Files.createFile(files.resolve("dev/fuse"));
    assertThat(host.fuse().state()).isEqualTo(HostCheck.State.OK);
  }

  @Test
  void erofs_dependsOnTheKernelsAge() throws IOException {
    Host host = host("\terofs\n");
    assertThat(host.erofs(KernelVersion.parse("6.1.0-13-amd64")).state())
        .isEqualTo(HostCheck.State.NOTE);
    assertThat(host.erofs(KernelVersion.parse("6.12.9")).state()).isEqualTo(HostCheck.State.OK);
  }

  @Test
  void kernel_olderThanTheProtocol_isMissing() {
    assertThat(Host.kernel(KernelVersion.parse("5.3.0")).state())
        .isEqualTo(HostCheck.State.MISSING);
    assertThat(Host.kernel(KernelVersion.parse("5.10.0")).state()).isEqualTo(HostCheck.State.OK);
    assertThat(Host.kernel(KernelVersion.parse("strange")).state())
        .isEqualTo(HostCheck.State.MISSING);
  }

  @Test
  void libfuse_isMissingOnlyForTheTransportThatNeedsIt() throws IOException {
    Host host = host("");
    assertThat(host.libfuse(Config.Transport.RAW).state()).isEqualTo(HostCheck.State.NOTE);
    assertThat(host.libfuse(Config.Transport.JNR).state()).isEqualTo(HostCheck.State.MISSING);
    Files.createDirectories(files.resolve("lib/x86_64-linux-gnu"));
    Files.createFile(files.resolve("lib/x86_64-linux-gnu/libfuse.so.2.9.9"));
    assertThat(host.libfuse(Config.Transport.JNR).state()).isEqualTo(HostCheck.State.OK);
  }

  @Test
  void inflaters_areNamedAndNeverMissing() {
    HostCheck check = Host.inflaters();
    assertThat(check.found()).startsWith("gzip by " + InflaterLibrary.fastest());
    for (InflaterLibrary library : InflaterLibrary.values()) {
      assertThat(check.found()).contains(library.toString());
    }
    if (InflaterLibrary.ISAL.present()) {
      assertThat(check.advice()).doesNotContain("libisal2");
    } else {
      assertThat(check.state()).isEqualTo(HostCheck.State.NOTE);
      assertThat(check.advice()).contains("apt-get install libisal2");
    }
  }

  @Test
  void rootDirectory_onOverlayfs_isMissing() {
    Path root = Path.of("/srv/s");
    assertThat(Host.rootDirectory(root, "overlay", 1L << 40).state())
        .isEqualTo(HostCheck.State.MISSING);
    assertThat(Host.rootDirectory(root, "tmpfs", 1L << 40).state()).isEqualTo(HostCheck.State.NOTE);
    assertThat(Host.rootDirectory(root, "ext4", 1L << 40).state()).isEqualTo(HostCheck.State.OK);
    assertThat(Host.rootDirectory(root, "ext4", 1L << 20).state()).isEqualTo(HostCheck.State.NOTE);
  }

  @Test
  void openFiles_few_isANote() {
    assertThat(Host.openFiles("1024").state()).isEqualTo(HostCheck.State.NOTE);
    assertThat(Host.openFiles("unlimited").state()).isEqualTo(HostCheck.State.OK);
  }
}
