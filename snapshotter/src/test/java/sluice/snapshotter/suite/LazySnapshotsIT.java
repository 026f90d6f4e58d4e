package sluice.snapshotter.suite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.testing.ListingAssert.assertThatTree;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import sluice.api.containerd.snapshots.Info;
import sluice.api.containerd.snapshots.Kind;
import sluice.api.containerd.snapshots.PrepareSnapshotRequest;
import sluice.api.containerd.types.Mount;
import sluice.api.control.Fallback;
import sluice.core.Digest;
import sluice.testing.ListingAssert.Loss;
import sluice.testing.Mounted;
import sluice.testing.SnapshotClient;
import sluice.testing.TreeListing;

/** Containerd's protocol for snapshots that it need not unpack, which its own suite leaves out. */
final class LazySnapshotsIT {

  private static final int CALLERS = 16;

  private TestDaemon daemon;
  private SnapshotClient client;
  private int mountpoints;

  @BeforeEach
  void start() throws IOException {
    daemon = TestDaemon.start();
    client = daemon.client();
  }

  @AfterEach
  void stop() throws IOException {
    daemon.close();
  }

  @Test
  void prepare_ofLazyLayer_commitsItUnderItsRef() throws IOException {
    Digest chainId = layer("base", "file", "lazy");

    assertThat(prepareCode("k1", "", chainId)).isEqualTo(Status.Code.ALREADY_EXISTS);

    Info committed = found(chainId, "");
    assertThat(committed.getKind()).isEqualTo(Kind.COMMITTED);
    assertThat(committed.getLabelsMap()).containsEntry("containerd.io/snapshot/cri.image-ref", "i");
    assertThat(client.list("kind==active")).isEmpty();
    assertThat(client.usage(committed.getName()).getSize()).isEqualTo(12345);
    assertThat(daemon.root().resolve("snapshots")).isEmptyDirectory();
    assertThat(daemon.layers().openPins()).isZero();
  }

  @Test
  void prepare_ofLayerThatCannotBeLazy_fallsBackWithItsReason() {
    Digest chainId = Digest.sha256(new byte[] {1});

    List<Mount> mounts =
        client.prepare(
            "k",
            "",
            SnapshotClient.REF,
            chainId.toString(),
            "containerd.io/snapshot/cri.image-ref",
            "i");

    assertThat(mounts).hasSize(1);
    // A read-only mount here would make containerd 2.4 commit an empty layer.
    assertThat(mounts.getLast().getOptionsList()).contains("rw").doesNotContain("ro");
    Fallback fallback = daemon.status().getFallbacks(0);
    assertThat(fallback.getChainId()).isEqualTo(chainId.toString());
    assertThat(fallback.getImage()).isEqualTo("i");
    assertThat(fallback.getReason()).contains("there is no directory");
    assertThat(daemon.status().getFallbackCountsMap()).isEqualTo(Map.of("unsupported", 1L));
  }

  @Test
  void prepare_withRefThatIsNoChainId_fallsBack() {
    assertThat(client.prepare("k", "", SnapshotClient.REF, "nonsense")).hasSize(1);
    assertThat(daemon.status().getFallbacks(0).getKind()).isEqualTo("not_named");
  }

  @Test
  void prepare_ofManyAtOnce_commitsOnce() throws Exception {
    Digest chainId = layer("base", "file", "lazy");

    List<Status.Code> codes = atOnce(i -> prepareCode("k" + i, "", chainId));

    assertThat(codes).containsOnly(Status.Code.ALREADY_EXISTS).hasSize(CALLERS);
    assertThat(client.list()).hasSize(1);
    assertThat(daemon.layers().openPins()).isZero();
  }

  @Test
  void prepare_ofOneKeyByMany_onlyOneGetsIt() throws Exception {
    List<Status.Code> codes =
        atOnce(i -> {
          try {
            var _ = client.prepare("same", "");
            return Status.Code.OK;
          } catch (StatusRuntimeException e) {
            return e.getStatus().getCode();
          }
        });

    assertThat(codes).containsOnlyOnce(Status.Code.OK);
    assertThat(codes)
        .filteredOn(code -> code != Status.Code.OK)
        .containsOnly(Status.Code.ALREADY_EXISTS);
    try (Mounted mounted = mount(client.mounts("same"))) {
      Files.writeString(mounted.target().resolve("x"), "x");
    }
    client.cleanup();
    assertThat(daemon.root().resolve("snapshots")).isDirectoryContaining("glob:**/[0-9]*");
  }

  @Test
  void callerWhoGivesUp_leavesNothing_andMayComeAgain() throws Exception {
    Digest chainId = layer("base", "file", "lazy");
    daemon.layers().stall(chainId);

    assertThatThrownBy(() ->
            client
                .stub()
                .withDeadlineAfter(1, TimeUnit.SECONDS)
                .prepare(
                    PrepareSnapshotRequest.newBuilder()
                        .setSnapshotter("sluice")
                        .setKey("k1")
                        .putLabels(SnapshotClient.REF, chainId.toString())
                        .build()))
        .hasMessageContaining("DEADLINE_EXCEEDED");

    assertThat(daemon.layers().gaveUp()).isTrue();
    assertThat(client.list()).isEmpty();
    assertThat(prepareCode("k2", "", chainId)).isEqualTo(Status.Code.ALREADY_EXISTS);
    assertThat(client.list()).hasSize(1);
  }

  @Test
  void snapshotWithoutItsDirectory_isNeitherMountedNorCommitted() throws IOException {
    assertThat(client.prepare("k", "")).hasSize(1);
    Path gone = daemon.root().resolve("snapshots/1");
    Files.move(gone, daemon.work().resolve("moved"));

    assertThatThrownBy(() -> client.mounts("k")).hasMessageContaining("lost its directory");
    assertThatThrownBy(() -> client.commit("c", "k", ""))
        .hasMessageContaining("lost its directory");
    client.remove("k");
    assertThat(client.prepare("k", "")).hasSize(1);
  }

  @Test
  void sameLayerOnOtherParents_isAnotherSnapshot() throws IOException {
    Digest below = layer("below", "file", "1");
    Digest above = layer("above", "other", "2");
    assertThat(prepareCode("k1", "", below)).isEqualTo(Status.Code.ALREADY_EXISTS);
    String parent = found(below, "").getName();

    assertThat(prepareCode("k2", "", above)).isEqualTo(Status.Code.ALREADY_EXISTS);
    assertThat(prepareCode("k3", parent, above)).isEqualTo(Status.Code.ALREADY_EXISTS);

    assertThat(found(above, parent).getName()).isNotEqualTo(found(above, "").getName());
  }

  @Test
  void lazyAndOrdinaryLayers_inOneChain() throws IOException {
    Digest lowest = layer("lowest", "file", "lazy");
    Files.writeString(daemon.layers().layer(lowest).resolve("gone"), "x");
    assertThat(prepareCode("k1", "", lowest)).isEqualTo(Status.Code.ALREADY_EXISTS);
    try (Mounted ordinary = mount(client.prepare("k2", found(lowest, "").getName()))) {
      Files.delete(ordinary.target().resolve("gone"));
      Files.writeString(ordinary.target().resolve("file"), "ordinary");
    }
    client.commit("ordinary", "k2", "");
    Digest highest = layer("highest", "top", "lazy again");
    assertThat(prepareCode("k3", "ordinary", highest)).isEqualTo(Status.Code.ALREADY_EXISTS);

    Path plain = Files.createDirectories(daemon.work().resolve("plain"));
    Files.writeString(plain.resolve("file"), "ordinary");
    Files.writeString(plain.resolve("top"), "lazy again");
    String name = found(highest, "ordinary").getName();
    try (Mounted mounted = mount(client.prepare("container", name))) {
      assertThatTree(TreeListing.of(mounted.target()))
          .losing(Loss.TIMES, Loss.LINK_COUNTS)
          .isTree(TreeListing.of(plain));
      assertThat(daemon.layers().mountedRuns()).isEqualTo(2);
    }
  }

  @Test
  void restart_keepsSnapshotsAndMountsThemAgain() throws IOException {
    Digest chainId = layer("base", "file", "lazy");
    assertThat(prepareCode("k", "", chainId)).isEqualTo(Status.Code.ALREADY_EXISTS);
    List<Mount> before = client.prepare("container", found(chainId, "").getName());
    try (Mounted mounted = mount(before)) {
      Files.writeString(mounted.target().resolve("written"), "by the container");
    }
    Info stat = client.stat("container");

    daemon.restart();

    assertThat(daemon.layers().mountedRuns()).isEqualTo(1);
    assertThat(client.stat("container")).isEqualTo(stat);
    assertThat(client.mounts("container")).isEqualTo(before);
    try (Mounted mounted = mount(client.mounts("container"))) {
      assertThat(mounted.target().resolve("file")).hasContent("lazy");
      assertThat(mounted.target().resolve("written")).hasContent("by the container");
    }
  }

  @Test
  void imageThatIsBroken_stopsNoOtherOne() throws IOException {
    Digest good = layer("good", "file", "fine");
    Digest bad = layer("bad", "file", "damaged");
    assertThat(prepareCode("k1", "", good)).isEqualTo(Status.Code.ALREADY_EXISTS);
    assertThat(prepareCode("k2", "", bad)).isEqualTo(Status.Code.ALREADY_EXISTS);
    assertThat(client.prepare("c-bad", found(bad, "").getName())).hasSize(1);
    daemon.layers().breakLayer(bad);

    assertThatThrownBy(() -> client.mounts("c-bad"))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> {
              assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
              assertThat(e.getStatus().getDescription())
                  .contains("registry.test/image:latest", "its tree is damaged");
            });
    assertThatThrownBy(() -> client.prepare("c-bad-2", found(bad, "").getName()))
        .hasMessageContaining("UNAVAILABLE");
    try (Mounted mounted = mount(client.prepare("c", found(good, "").getName()))) {
      assertThat(mounted.target().resolve("file")).hasContent("fine");
    }
    client.remove("c-bad");
    assertThat(client.list("kind==active")).hasSize(1);
  }

  @Test
  void cleanup_unmountsWhatNothingStandsOn() throws IOException {
    Digest chainId = layer("base", "file", "lazy");
    assertThat(prepareCode("k", "", chainId)).isEqualTo(Status.Code.ALREADY_EXISTS);
    String name = found(chainId, "").getName();
    assertThat(client.prepare("container", name)).hasSize(1);
    client.cleanup();
    assertThat(daemon.layers().mountedRuns()).isEqualTo(1);

    client.remove("container");
    assertThat(daemon.root().resolve("snapshots")).isNotEmptyDirectory();
    client.cleanup();

    assertThat(daemon.layers().mountedRuns()).isZero();
    assertThat(daemon.root().resolve("snapshots")).isEmptyDirectory();
    assertThat(client.stat(name).getKind()).isEqualTo(Kind.COMMITTED);
  }

  @Test
  void userNamespace_isLeftToContainerd() throws IOException {
    Digest chainId = layer("base", "file", "lazy");
    assertThat(prepareCode("k", "", chainId)).isEqualTo(Status.Code.ALREADY_EXISTS);

    List<Mount> mounts =
        client.prepare(
            "container",
            found(chainId, "").getName(),
            "containerd.io/snapshot/uidmapping",
            "0:100000:65536",
            "containerd.io/snapshot/gidmapping",
            "0:200000:65536");

    assertThat(mounts.getFirst().getOptionsList())
        .contains("uidmap=0:100000:65536", "gidmap=0:200000:65536");
    Path upper;
    try (var directories = Files.list(daemon.root().resolve("snapshots"))) {
      upper = directories.findFirst().orElseThrow().resolve("fs");
    }
    assertThat(Files.getAttribute(upper, "unix:uid")).isEqualTo(100000);
    assertThat(Files.getAttribute(upper, "unix:gid")).isEqualTo(200000);
  }

  /** Makes a layer with one file. */
  private Digest layer(String name, String file, String content) throws IOException {
    Digest chainId = Digest.sha256(name.getBytes(StandardCharsets.UTF_8));
    Path directory = Files.createDirectories(daemon.layers().layer(chainId));
    Files.writeString(directory.resolve(file), content);
    return chainId;
  }

  private Status.Code prepareCode(String key, String parent, Digest chainId) {
    try {
      var _ =
          client.prepare(
              key,
              parent,
              SnapshotClient.REF,
              chainId.toString(),
              "containerd.io/snapshot/cri.image-ref",
              "i");
      return Status.Code.OK;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode();
    }
  }

  private Info found(Digest chainId, String parent) {
    return client.lazy(chainId.toString(), parent);
  }

  /** Mounts at a place of its own. */
  private Mounted mount(List<Mount> mounts) throws IOException {
    return Mounted.on(daemon.work().resolve("m" + mountpoints++), mounts);
  }

  private interface Numbered<T> {
    T call(int number);
  }

  private static <T> List<T> atOnce(Numbered<T> call) throws Exception {
    CountDownLatch all = new CountDownLatch(CALLERS);
    try (ExecutorService callers = Executors.newFixedThreadPool(CALLERS)) {
      List<Future<T>> running = new ArrayList<>();
      for (int i = 0; i < CALLERS; i++) {
        int number = i;
        running.add(
            callers.submit(() -> {
              all.countDown();
              all.await();
              return call.call(number);
            }));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> result : running) {
        results.add(result.get());
      }
      return results;
    }
  }
}
