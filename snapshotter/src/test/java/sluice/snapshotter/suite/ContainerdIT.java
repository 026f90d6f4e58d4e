package sluice.snapshotter.suite;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.PrivateContainerd;

/** A real containerd uses the daemon as its snapshotter. */
final class ContainerdIT {

  private TestDaemon daemon;
  private PrivateContainerd containerd;

  @BeforeEach
  void start() throws Exception {
    daemon = TestDaemon.start();
    containerd = PrivateContainerd.start(Map.of("sluice", daemon.socket()));
  }

  @AfterEach
  void stop() throws Exception {
    containerd.close();
    daemon.close();
  }

  @Test
  void ctrSnapshots_prepareCommitViewRemove() throws Exception {
    containerd.ctr("snapshots", "--snapshotter", "sluice", "prepare", "active");
    containerd.ctr("snapshots", "--snapshotter", "sluice", "commit", "done", "active");
    containerd.ctr("snapshots", "--snapshotter", "sluice", "view", "seen", "done");

    assertThat(containerd.ctr("snapshots", "--snapshotter", "sluice", "list"))
        .containsPattern("done +Committed")
        .containsPattern("seen +done +View");
    assertThat(containerd.ctr("snapshots", "--snapshotter", "sluice", "mounts", "/mnt", "seen"))
        .contains("mount -t bind");

    containerd.ctr("snapshots", "--snapshotter", "sluice", "rm", "seen");
    containerd.ctr("snapshots", "--snapshotter", "sluice", "rm", "done");
    containerd.collectGarbage();
    assertThat(daemon.root().resolve("snapshots")).isEmptyDirectory();
  }

  @Test
  void ordinaryImage_isPulledAndRun_andLeavesNothing() throws Exception {
    try (DockerRegistry registry = DockerRegistry.open()) {
      LayoutPush.push(Fixtures.of("reader").directory(), registry.host(), "reader");
      String image = registry.host() + "/reader:" + Fixtures.SOURCE;

      containerd.ctr("images", "pull", "--plain-http", "--snapshotter", "sluice", image);
      String output =
          containerd.ctr(
              "run",
              "--rm",
              "--snapshotter",
              "sluice",
              image,
              "once",
              "/bin/reader",
              "/bin/reader");
      assertThat(output).contains("/bin/reader").contains("done");

      containerd.collectGarbage();
      assertThat(
              containerd.ctr(
                  "run",
                  "--rm",
                  "--snapshotter",
                  "sluice",
                  image,
                  "again",
                  "/bin/reader",
                  "/bin/reader"))
          .isEqualTo(output);

      containerd.ctr("images", "rm", "--sync", image);
      containerd.collectGarbage();
      assertThat(daemon.status().getSnapshots().getCommittedLocal()).isZero();
      assertThat(daemon.root().resolve("snapshots")).isEmptyDirectory();
    }
  }

  @Test
  void daemonThatCameBack_isUsedAgain() throws Exception {
    containerd.ctr("snapshots", "--snapshotter", "sluice", "prepare", "active");
    daemon.restart();

    containerd.ctr("snapshots", "--snapshotter", "sluice", "commit", "done", "active");
    assertThat(Files.exists(daemon.root().resolve("snapshots/1/fs"))).isTrue();
  }
}
