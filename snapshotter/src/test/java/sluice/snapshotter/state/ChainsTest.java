package sluice.snapshotter.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import sluice.core.Descriptor;
import sluice.core.Digest;

final class ChainsTest {

  private static final SnapshotDirectories DIRECTORIES =
      new SnapshotDirectories(Path.of("/r/snapshots"));
  private static final LazyLayer A = lazy(1);
  private static final LazyLayer B = lazy(2);
  private static final LazyLayer C = lazy(3);

  @Test
  void lowers_joinNeighbours() {
    CommittedLayer.Local local = new CommittedLayer.Local(7, Path.of("/r/snapshots/7/fs"));
    CommittedLayer lazyA = new CommittedLayer.Lazy(A);
    CommittedLayer lazyB = new CommittedLayer.Lazy(B);
    CommittedLayer lazyC = new CommittedLayer.Lazy(C);

    assertThat(Chains.lowers(List.of())).isEmpty();
    assertThat(Chains.lowers(List.of(lazyA, lazyB, local, lazyC)))
        .containsExactly(
            new Chains.Lower.Run(new LazyRun(List.of(), List.of(A, B))),
            new Chains.Lower.Directory(local),
            new Chains.Lower.Run(new LazyRun(List.of(lazyA, lazyB, local), List.of(C))));
    assertThat(Chains.lowers(List.of(local, lazyA)))
        .containsExactly(
            new Chains.Lower.Directory(local),
            new Chains.Lower.Run(new LazyRun(List.of(local), List.of(A))));
  }

  @Test
  void needed_isEveryLazyLayer_butOnlyRunsThatSomethingStandsOn() {
    List<Snapshot> all = new ArrayList<>();
    all.add(snapshot("a", null, Kind.COMMITTED, A));
    all.add(snapshot("b", "a", Kind.COMMITTED, B));
    all.add(snapshot("c", null, Kind.COMMITTED, C));
    all.add(snapshot("container1", "b", Kind.ACTIVE, null));
    all.add(snapshot("container2", "b", Kind.VIEW, null));
    all.add(snapshot("fresh", null, Kind.ACTIVE, null));

    LazyLayers.Needed needed = new Chains(DIRECTORIES).needed(all);

    assertThat(needed.committed()).isEqualTo(Set.of(A, B, C));
    assertThat(needed.mounted()).isEqualTo(Set.of(new LazyRun(List.of(), List.of(A, B))));
  }

  @Test
  void run_onLazyLayer_isNone() {
    assertThatThrownBy(() -> new LazyRun(List.of(new CommittedLayer.Lazy(A)), List.of(B)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void directories_thatOverlayfsCannotTake_areRefused() {
    for (String path : List.of("/a:b", "/a,b", "/a\\b", "/a\"b")) {
      assertThatThrownBy(() -> new SnapshotDirectories(Path.of(path)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("overlayfs");
    }
  }

  @Test
  void idMapping_readsSeveralRanges() throws SnapshotException {
    IdMapping mapping =
        IdMapping.of(Map.of(IdMapping.UID_LABEL, "0:1000:1,1:100000:65535"), IdMapping.UID_LABEL)
            .orElseThrow();
    assertThat(IdMapping.of(Map.of(), IdMapping.UID_LABEL)).isEmpty();
    assertThat(mapping.toHost(0)).isEqualTo(1000);
    assertThat(mapping.toHost(65535)).isEqualTo(165534);
    assertThat(mapping).hasToString("0:1000:1,1:100000:65535");
    assertThatThrownBy(() -> mapping.toHost(65536)).hasMessageContaining("does not map id 65536");
    for (String broken : List.of("", "0:1", "0:1:2,", "-1:0:1", "0:0:99999999999")) {
      assertThatThrownBy(
              () -> IdMapping.of(Map.of(IdMapping.UID_LABEL, broken), IdMapping.UID_LABEL))
          .isInstanceOf(SnapshotException.class);
    }
  }

  private static Snapshot snapshot(
      String name, @Nullable String parent, Kind kind, @Nullable LazyLayer lazy) {
    return new Snapshot(
        name.hashCode(),
        new SnapshotKey("s", name),
        parent,
        kind,
        Instant.EPOCH,
        Instant.EPOCH,
        Map.of(),
        Usage.NONE,
        lazy);
  }

  private static LazyLayer lazy(int number) {
    Digest digest = Digest.sha256(new byte[] {(byte) number});
    return new LazyLayer(
        digest, digest, new Descriptor("m", digest, 0), Set.of(), digest, "f", null, null, "i");
  }
}
