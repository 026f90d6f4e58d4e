package sluice.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class NodeNumbersTest {

  private static final long MAX_NID = (1L << 32) - 1;

  @Test
  void node_ofADirectory_namesImageAndNid() {
    NodeNumbers numbers = NodeNumbers.ofDirectory(7, 36);
    for (long nid : new long[] {1, 36, MAX_NID}) {
      assertThat(numbers.nid(numbers.node(nid))).isEqualTo(nid);
      assertThat(NodeNumbers.imageOf(numbers.node(nid))).isEqualTo(7);
    }
    assertThat(numbers.rootNode()).isEqualTo(numbers.node(36));
  }

  @Test
  void node_ofAFileSystem_hasTheRootThatTheKernelKnows() {
    NodeNumbers numbers = NodeNumbers.ofFileSystem(36);
    assertThat(numbers.node(36)).isEqualTo(ReadOnlyFileSystem.ROOT_NODE);
    assertThat(numbers.nid(ReadOnlyFileSystem.ROOT_NODE)).isEqualTo(36);
    assertThat(numbers.nid(numbers.node(37))).isEqualTo(37);
  }

  @Test
  void fits_whatAnInodeNumberOf32BitsHolds() {
    assertThat(NodeNumbers.fits(0)).isFalse();
    assertThat(NodeNumbers.fits(1)).isTrue();
    assertThat(NodeNumbers.fits(MAX_NID)).isTrue();
    assertThat(NodeNumbers.fits(MAX_NID + 1)).isFalse();
  }

  @Test
  void ino_isSmallAndOfEachImageItsOwn() {
    NodeNumbers one = NodeNumbers.ofDirectory(1, 36);
    NodeNumbers other = NodeNumbers.ofDirectory(2, 36);
    for (long nid : new long[] {1, 36, MAX_NID}) {
      assertThat(one.ino(nid)).isBetween(1L, MAX_NID);
      assertThat(other.ino(nid)).isBetween(1L, MAX_NID).isNotEqualTo(one.ino(nid));
    }
  }
}
