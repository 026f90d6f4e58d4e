package sluice.formats.tar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.formats.tar.TarBuilder.Header;
import sluice.formats.testing.ImageTree;
import sluice.testing.FileType;
import sluice.testing.Tree;
import sluice.testing.TreeEntry;

/** What single entries become, as the merged image shows it. */
class TarUnpackTest {

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({
    "a, a",
    "./a, a",
    "/a, a",
    "../../a, a",
    "d/../a, a",
    "d//./a, d/a",
    "'d\na', 'd\na'"
  })
  void run_namesAreCleaned(String name, String path) throws Exception {
    Tree tree = unpack(new TarBuilder().file(name, "x"));
    assertThat(tree.entry(path).content()).isEqualTo(Digest.sha256(TarBuilder.latin("x")));
  }

  @Test
  void run_rootEntry_givesItsAttributes() throws Exception {
    Tree tree = unpack(new TarBuilder().header(new Header("./", '5').mode(0700).octal(108, 8, 5)));
    assertThat(tree.entry("").mode()).isEqualTo(0700);
    assertThat(tree.entry("").uid()).isEqualTo(5);
  }

  @ParameterizedTest
  @ValueSource(strings = {".", "/", "..", "a/.."})
  void run_fileThatIsTheRoot_isIgnored(String name) throws Exception {
    assertThat(unpack(new TarBuilder().file(name, "x")).entries()).hasSize(1);
  }

  @Test
  void run_laterEntry_replacesAnEarlierOne() throws Exception {
    Tree tree =
        unpack(
            new TarBuilder()
                .file("a", "first")
                .file("a", "second!")
                .directory("d")
                .file("d/x", "x")
                .header(new Header("d", '2').link("a"))
                .directory("e")
                .file("e/y", "y")
                .header(new Header("e", '5').mode(0500)));
    assertThat(tree.entry("a").size()).isEqualTo(7);
    assertThat(tree.entry("d").type()).isEqualTo(FileType.LINK);
    assertThat(tree.entry("e").mode()).isEqualTo(0500);
    assertThat(tree.entry("e/y").size()).isEqualTo(1);
  }

  @Test
  void run_hardLinks_beforeAndAfterTheirTarget() throws Exception {
    Tree tree =
        unpack(
            new TarBuilder()
                .header(new Header("before", '1').link("./file"))
                .file("file", "x")
                .header(new Header("z/after", '1').link("/file").mode(0600)));
    assertThat(tree.entry("before").content()).isEqualTo(Digest.sha256(TarBuilder.latin("x")));
    assertThat(tree.entry("z/after").nlink()).isEqualTo(3);
    assertThat(tree.entry("z/after").same()).isEqualTo(Bytes.utf8("before"));
  }

  @Test
  void run_specialFiles_keepTheirNumbers() throws Exception {
    Tree tree =
        unpack(
            new TarBuilder()
                .header(new Header("c", '3').octal(329, 8, 4095).octal(337, 8, 1_048_575))
                .header(new Header("b", '4').octal(329, 8, 7).octal(337, 8, 1))
                .header(new Header("p", '6'))
                .header(new Header("gone", '3').octal(329, 8, 0).octal(337, 8, 0)));
    assertThat(tree.entry("c").device()).isEqualTo(new TreeEntry.DeviceNumber(4095, 1_048_575));
    assertThat(tree.entry("b").type()).isEqualTo(FileType.BLOCK);
    assertThat(tree.entry("p").type()).isEqualTo(FileType.FIFO);
    assertThat(tree.entries()).as("0:0 is a whiteout").hasSize(4);
  }

  @Test
  void run_xattrs_areKeptWhereLinuxHasThem() throws Exception {
    String[] xattrs = {
      "SCHILY.xattr.user.a=1",
      "SCHILY.xattr.trusted.b=2",
      "SCHILY.xattr.trusted.overlay.opaque=y",
      "SCHILY.xattr.user.overlay.whiteout=y",
      "SCHILY.xattr.nowhere.c=3"
    };
    Tree tree =
        unpack(
            new TarBuilder()
                .pax('x', xattrs)
                .file("f", "")
                .pax('x', xattrs)
                .header(new Header("l", '2').link("f")));
    Bytes trusted = Bytes.utf8("trusted.b");
    assertThat(tree.entry("f").xattrs())
        .isEqualTo(Map.of(Bytes.utf8("user.a"), Bytes.utf8("1"), trusted, Bytes.utf8("2")));
    assertThat(tree.entry("l").xattrs()).containsOnlyKeys(trusted);
  }

  @ParameterizedTest
  @CsvSource({"-2, 4294967294", "-1, 0", "4294967295, 0", "4294967294, 4294967294"})
  void run_owners_areWhatChownMakesOfThem(long inTar, long shown) throws Exception {
    Tree tree = unpack(new TarBuilder().pax('x', "uid=" + inTar).file("f", ""));
    assertThat(tree.entry("f").uid()).isEqualTo(shown);
  }

  @Test
  void run_whiteoutAfterAnEntryOfItsName_hidesOnlyWhatIsBelow() throws Exception {
    Tree tree = unpack(new TarBuilder().file("f", "x").file(".wh.f", "").file(".wh.g", ""));
    assertThat(tree.entries()).containsOnlyKeys(Bytes.EMPTY, Bytes.utf8("f"));
  }

  @ParameterizedTest
  @ValueSource(strings = {".wh.", ".wh..", ".wh...", "d/.wh."})
  void run_whiteoutOfNothing_isRefused(String name) {
    assertRefused(new TarBuilder().file(name, ""), "is a whiteout of nothing");
  }

  @ParameterizedTest
  @ValueSource(chars = {'7', '8', 'V', 'M', '\u0001'})
  void run_unknownType_isRefused(char type) {
    assertRefused(new TarBuilder().header(new Header("f", type)), "(%d)".formatted((int) type));
  }

  @Test
  void run_namesNoFileCanHave_areRefused() {
    assertRefused(new TarBuilder().gnuLong('L', "n".repeat(256)).file("f", ""), "256 bytes");
    assertRefused(new TarBuilder().gnuLong('L', "n/".repeat(2049)).file("f", ""), "at most 4095");
    assertRefused(new TarBuilder().header(new Header("l", '2')), "symlink of 0 bytes");
  }

  @Test
  void run_numbersLinuxHasNot_areRefused() {
    assertRefused(new TarBuilder().pax('x', "uid=4294967296").file("f", ""), "owner 4294967296");
    assertRefused(
        new TarBuilder().header(new Header("c", '3').octal(329, 8, 4096)), "device 4096:0");
  }

  @Test
  void run_pathsThroughFilesAndLinksToThemselves_areRefused() {
    assertRefused(new TarBuilder().file("f", "").file("f/g", ""), "leads through a file");
    assertRefused(new TarBuilder().header(new Header("l", '1').link("l")), "itself");
    assertRefused(
        new TarBuilder()
            .header(new Header("a", '2').link("b"))
            .header(new Header("b", '2').link("a"))
            .file("a/f", ""),
        "symlinks");
  }

  @Test
  void run_sparseFileBeyondWhatCanBe_isRefused() {
    String[] map = {"GNU.sparse.numblocks=1", "GNU.sparse.map=0,1"};
    assertRefused(
        new TarBuilder()
            .pax('x', map[0], map[1], "GNU.sparse.size=" + ((16L << 40) + 1))
            .file("f", "x"),
        "has 17592186044417 bytes, at most 17592186044416");
  }

  /** A MiB of them takes seven on the heap. */
  @Test
  void run_moreXattrsThanTheHeapMayHold_isRefused() {
    String[] xattrs = new String[33_000];
    for (int i = 0; i < xattrs.length; i++) {
      xattrs[i] = "SCHILY.xattr.user.%d=".formatted(i);
    }
    TarBuilder tar = new TarBuilder();
    for (int i = 0; i < 40; i++) {
      tar.pax('x', xattrs).file("f" + i, "");
    }
    byte[] bytes = tar.build();
    assertThatThrownBy(() -> new Layers(directory).merge(bytes))
        .isInstanceOf(IOException.class)
        .isNotInstanceOf(CorruptException.class)
        .hasMessageStartingWith("tree: takes ")
        .hasMessageContaining("at most 184549376 of a layer that streams")
        .hasMessageContaining("resource=layer " + Digest.sha256(bytes));
    assertThat(directory).as("nothing is kept").isEmptyDirectory();
  }

  private Tree unpack(TarBuilder tar) throws Exception {
    Layers layers = new Layers(directory);
    return ImageTree.of(layers.merge(tar.build()), layers.devices());
  }

  private void assertRefused(TarBuilder tar, String problem) {
    byte[] bytes = tar.build();
    assertThatThrownBy(() -> new Layers(directory).merge(bytes))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("entry \"")
        .hasMessageContaining(problem)
        .hasMessageContaining("resource=layer " + Digest.sha256(bytes));
    assertThat(directory).as("nothing is kept").isEmptyDirectory();
  }
}
