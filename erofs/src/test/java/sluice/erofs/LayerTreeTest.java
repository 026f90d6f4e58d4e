package sluice.erofs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.erofs.LayerInode.Directory;
import sluice.erofs.LayerInode.LinkBelow;
import sluice.erofs.LayerInode.RegularFile;
import sluice.erofs.LayerInode.Symlink;
import sluice.erofs.LayerInode.Whiteout;

class LayerTreeTest {

  private static final Attributes PLAIN = new Attributes(0640, 1, 2, 3, 4);
  private static final Attributes OTHER = new Attributes(0751, 5, 6, 7, 8);

  private final LayerTree tree = new LayerTree("test");

  /** Each way to grow; what is refused is not there. */
  @Test
  void growth_isAskedBeforeAnythingIsAdded() throws Exception {
    List<Long> asked = new ArrayList<>();
    LayerTree counted = new LayerTree("test", asked::add);
    counted.file(Bytes.utf8("a/b/c"), PLAIN, FileContent.empty());
    assertThat(asked).as("the file, two directories, its name").hasSize(4);
    asked.clear();
    counted.hardLink(
        Bytes.utf8("d"),
        Bytes.utf8("a/b/c"),
        new Attributes(0, 0, 0, 0, 0, xattrs("user." + "x".repeat(1000))));
    assertThat(asked).hasSize(2);
    assertThat(asked.getFirst()).isGreaterThan(1000);
    asked.clear();
    counted.directory(
        Bytes.utf8("a"), new Attributes(0, 0, 0, 0, 0, xattrs("user." + "x".repeat(2000))));
    assertThat(asked).hasSize(1);
    assertThat(asked.getFirst()).isGreaterThan(2000);
    asked.clear();
    counted.whiteout(Bytes.utf8("e"));
    assertThat(asked).hasSize(2);
    LayerTree full =
        new LayerTree(
            "test",
            bytes -> {
              throw new IOException("no more");
            });
    assertThatThrownBy(() -> full.file(Bytes.utf8("a/b"), PLAIN, FileContent.empty()))
        .hasMessage("no more");
    assertThatThrownBy(() -> full.opaque(Bytes.utf8("a"))).hasMessage("no more");
    assertThat(((LayerInode.Directory) full.root().payload).children).isEmpty();
  }

  @Test
  void file_impliesItsParents() throws Exception {
    tree.file(path("a/b/c"), PLAIN, FileContent.empty());
    assertThat(directory("a").implied).isTrue();
    assertThat(at("a/b").attributes.mode()).isEqualTo(0040755);
    assertThat(directory("").implied).isTrue();
    assertThat(at("a/b/c").attributes.mode()).isEqualTo(0100640);
  }

  @Test
  void directory_overImpliedKeepsChildren() throws Exception {
    tree.file(path("a/b"), PLAIN, FileContent.empty());
    tree.directory(path("a"), OTHER);
    tree.directory(path(""), OTHER);
    assertThat(directory("a").implied).isFalse();
    assertThat(directory("").implied).isFalse();
    assertThat(at("a").attributes.mode()).isEqualTo(0040751);
    assertThat(directory("a").children).hasSize(1);
  }

  @Test
  void file_overDirectoryDropsItsChildren() throws Exception {
    tree.file(path("a/b"), PLAIN, FileContent.empty());
    tree.file(path("a"), PLAIN, FileContent.empty());
    tree.directory(path("a"), OTHER);
    assertThat(directory("a").children).isEmpty();
    assertThat(directory("a").opaque).isFalse();
  }

  @Test
  void file_overFileLeavesOtherNamesAlone() throws Exception {
    tree.file(path("a"), PLAIN, FileContent.contiguous(1, 0, 0));
    tree.hardLink(path("b"), path("a"), OTHER);
    tree.file(path("a"), PLAIN, FileContent.contiguous(2, 0, 0));
    assertThat(size("a")).isEqualTo(2);
    assertThat(size("b")).isEqualTo(1);
  }

  @Test
  void hardLink_appliesItsMetadataAndAddsXattrs() throws Exception {
    tree.file(path("a"), PLAIN.withXattrs(xattrs("user.a", "user.b")), FileContent.empty());
    tree.hardLink(path("b"), path("a"), OTHER.withXattrs(xattrs("user.b", "user.c")));
    assertThat(at("a")).isSameAs(at("b"));
    assertThat(at("a").attributes.mode()).isEqualTo(0100751);
    assertThat(at("a").attributes.uid()).isEqualTo(5);
    assertThat(at("a").attributes.xattrs().keySet())
        .containsExactly(path("user.a"), path("user.b"), path("user.c"));
  }

  @Test
  void hardLink_toSymlinkKeepsItsMode() throws Exception {
    tree.symlink(path("a"), new Attributes(0777, 1, 2, 3, 4), path("t"));
    tree.hardLink(path("b"), path("a"), OTHER);
    assertThat(at("b").attributes.mode()).isEqualTo(0120777);
    assertThat(at("b").attributes.uid()).isEqualTo(5);
  }

  @Test
  void hardLink_withoutTargetIsKeptAsMark() throws Exception {
    tree.hardLink(path("b"), path("x/a"), OTHER);
    tree.hardLink(path("c"), path("b"), OTHER);
    assertThat(at("b").payload).isEqualTo(new LinkBelow(path("x/a")));
    assertThat(at("c")).isSameAs(at("b"));
    assertThat(directory("").children).as("the target's parent is not implied").hasSize(2);
  }

  @Test
  void hardLink_toDirectoryOrItself_isRefused() throws Exception {
    tree.directory(path("d"), OTHER);
    assertThatThrownBy(() -> tree.hardLink(path("b"), path("d"), OTHER))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("\"b\"")
        .hasMessageContaining("resource=test");
    assertThatThrownBy(() -> tree.hardLink(path("b"), path("b"), OTHER))
        .isInstanceOf(CorruptException.class);
  }

  @Test
  void whiteout_neverHidesEntriesOfTheLayer() throws Exception {
    tree.whiteout(path("first"));
    tree.file(path("first"), PLAIN, FileContent.empty());
    tree.file(path("last"), PLAIN, FileContent.empty());
    tree.whiteout(path("last"));
    assertThat(at("first").payload).isInstanceOf(RegularFile.class);
    assertThat(at("last").payload).isInstanceOf(RegularFile.class);
  }

  @Test
  void whiteout_ofDirectoryThatIsThereMakesItOpaque() throws Exception {
    tree.whiteout(path("first"));
    tree.directory(path("first"), OTHER);
    tree.whiteout(path("parent"));
    tree.file(path("parent/child"), PLAIN, FileContent.empty());
    tree.directory(path("last"), OTHER);
    tree.whiteout(path("last"));
    assertThat(directory("first").opaque).isTrue();
    assertThat(directory("parent").opaque).isTrue();
    assertThat(directory("parent").implied).isTrue();
    assertThat(directory("last").opaque).isTrue();
  }

  @Test
  void opaque_isKeptWhateverComesFirst() throws Exception {
    tree.opaque(path("a"));
    tree.directory(path("a"), OTHER);
    tree.directory(path("b"), OTHER);
    tree.opaque(path("b"));
    assertThat(directory("a").opaque).isTrue();
    assertThat(directory("b").opaque).isTrue();
    assertThat(at("a").attributes.mode()).isEqualTo(0040751);
  }

  @Test
  void special_zeroZeroIsWhiteout() throws Exception {
    tree.special(path("a"), new Attributes(0020644, 0, 0, 0, 0), 0);
    assertThat(at("a").payload).isInstanceOf(Whiteout.class);
    assertThatThrownBy(() -> tree.special(path("b"), PLAIN.withMode(0100644), 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void file_followsSymlinksOfTheLayerWithinTheTree() throws Exception {
    tree.symlink(path("lib"), PLAIN, path("usr/lib"));
    tree.symlink(path("usr/up"), PLAIN, path("../../../etc"));
    tree.symlink(path("abs"), PLAIN, path("/usr/up"));
    tree.file(path("lib/x"), PLAIN, FileContent.empty());
    tree.file(path("abs/y"), PLAIN, FileContent.empty());
    tree.hardLink(path("z"), path("abs/y"), OTHER);
    assertThat(at("lib").payload).isInstanceOf(Symlink.class);
    assertThat(at("usr/lib/x").payload).isInstanceOf(RegularFile.class);
    assertThat(at("etc/y")).isSameAs(at("z"));
  }

  @Test
  void file_throughSymlinkLoopOrFile_isRefused() throws Exception {
    tree.symlink(path("a"), PLAIN, path("b"));
    tree.symlink(path("b"), PLAIN, path("a"));
    tree.file(path("f"), PLAIN, FileContent.empty());
    assertThatThrownBy(() -> tree.file(path("a/x"), PLAIN, FileContent.empty()))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("symlinks");
    assertThatThrownBy(() -> tree.file(path("f/x"), PLAIN, FileContent.empty()))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("leads through a file");
    assertThatThrownBy(() -> tree.file(path(""), PLAIN, FileContent.empty()))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("root");
  }

  @Test
  void entries_dropXattrsThatAnImageMayNotHave() throws Exception {
    tree.directory(
        path("d"),
        OTHER.withXattrs(
            xattrs(
                "trusted.overlay.opaque",
                "user.overlay.whiteout",
                "trusted.sluice.implied",
                "trusted.kept",
                "system.nfs4_acl",
                "system.posix_acl_default",
                "user.")));
    assertThat(at("d").attributes.xattrs().keySet())
        .containsExactly(path("system.posix_acl_default"), path("trusted.kept"));
  }

  @Test
  void paths_thatAreNotClean_areRefused() {
    for (String bad : new String[] {"/a", "a/", "a//b", "./a", "a/../b", "a\0b"}) {
      assertThatThrownBy(() -> tree.whiteout(path(bad)))
          .as(bad)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  private LayerInode at(String path) {
    LayerInode inode = tree.root();
    for (Bytes part : TreePath.parts(path(path))) {
      assertThat(inode.payload).isInstanceOf(Directory.class);
      inode = Objects.requireNonNull(((Directory) inode.payload).children.get(part), path);
    }
    return inode;
  }

  private Directory directory(String path) {
    return (Directory) at(path).payload;
  }

  private long size(String path) {
    return ((RegularFile) at(path).payload).content().sizeBytes();
  }

  private static Bytes path(String path) {
    return Bytes.utf8(path);
  }

  private static SortedMap<Bytes, Bytes> xattrs(String... names) {
    SortedMap<Bytes, Bytes> xattrs = new TreeMap<>();
    for (String name : names) {
      xattrs.putAll(Map.of(path(name), path("v")));
    }
    return xattrs;
  }
}
