package sluice.snapshotter.suite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.snapshotter.containerd.Containerd;
import sluice.snapshotter.containerd.ContainerdException;
import sluice.snapshotter.containerd.ContainerdSnapshots;
import sluice.snapshotter.containerd.ContainerdSnapshots.Prepared.AlreadyThere;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.PrivateContainerd;
import sluice.testing.SnapshotClient;

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

  /** What {@code sluice pull} does, by hand: one lazy layer, kept by labels alone. */
  @Test
  void lazyLayer_isKeptByLabels_andGoesWithItsImage() throws Exception {
    Digest chainId = Digest.sha256("layer".getBytes(StandardCharsets.UTF_8));
    Path layer = Files.createDirectories(daemon.layers().layer(chainId));
    Files.writeString(layer.resolve("file"), "lazy");
    Bytes config = Bytes.utf8("{}");
    Digest digest = Digest.sha256(config.toArray());
    Descriptor target = new Descriptor("application/octet-stream", digest, config.length());
    Map<String, String> keeps = Map.of("containerd.io/gc.ref.snapshot.sluice", chainId.toString());

    try (Containerd client = Containerd.connect(containerd.socket(), "default")) {
      assertThat(client.readContent(digest, 100)).isEmpty();
      assertThat(client.image("test/image:1")).isEmpty();
      try (Containerd.Lease lease = client.lease(Duration.ofMinutes(5))) {
        Map<String, String> ref = Map.of(SnapshotClient.REF, chainId.toString());
        ContainerdSnapshots snapshots = lease.snapshots("sluice");
        assertThat(snapshots.prepare("extract-1 " + chainId, "", ref))
            .isEqualTo(new AlreadyThere());
        assertThat(snapshots.prepare("extract-2 " + chainId, "", ref))
            .isEqualTo(new AlreadyThere());
        assertThat(snapshots.exists(chainId.toString())).isTrue();
        containerd.collectGarbage();
        lease.content().write(digest, config, Map.of());
        lease.content().write(digest, config, keeps);
        client.putImage("test/image:1", target, Map.of("a", "b"));
        client.putImage("test/image:1", target, Map.of("c", "d"));
      }
      containerd.collectGarbage();
      assertThat(client.readContent(digest, 100)).contains(config);
      assertThatThrownBy(() -> client.readContent(digest, 1)).hasMessageContaining("longer than 1");
      assertThat(client.image("test/image:1")).contains(target);
      assertThat(containerd.ctr("images", "list")).contains("a=b,c=d");
      assertThat(daemon.status().getSnapshots().getCommittedLazy()).isEqualTo(1);
    }

    containerd.ctr("snapshots", "--snapshotter", "sluice", "view", "v", chainId.toString());
    assertThat(containerd.ctr("snapshots", "--snapshotter", "sluice", "mounts", "/mnt", "v"))
        .contains(daemon.root().resolve("m").toString());
    containerd.ctr("snapshots", "--snapshotter", "sluice", "rm", "v");
    containerd.ctr("images", "rm", "--sync", "test/image:1");
    containerd.collectGarbage();
    assertThat(daemon.status().getSnapshots().getCommittedLazy()).isZero();
    assertThat(daemon.layers().mountedRuns()).isZero();
  }

  @Test
  void client_withoutContainerd_saysSo() throws Exception {
    containerd.stop();
    try (Containerd client = Containerd.connect(containerd.socket(), "default")) {
      assertThatThrownBy(() -> client.image("test/image:1"))
          .isInstanceOfSatisfying(
              ContainerdException.class,
              e -> assertThat(e.reason()).isEqualTo(ContainerdException.Reason.UNREACHABLE));
    }
  }
}
