package sluice.erofs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.testing.ErofsMount;
import sluice.testing.ListingAssert;
import sluice.testing.TreeListing;

/** What we write is what the kernel, fsck.erofs, dump.erofs and our own reader see. */
class WrittenImageIT {

  @TempDir static Path scratch;
  private static Path source;
  private static SourceLayer layer;
  private static Path merged;

  @BeforeAll
  static void write() throws Exception {
    source = Files.createDirectory(scratch.resolve("source"));
    Commands.bash(source, MkfsImageIT.SOURCE);
    Commands.bash(
        source,
        """
        touch "$(head -c 255 /dev/zero | tr '\\0' N)"
        rm $'d/\\xff\\xfe'
        python3 - <<'PY'
        import os, socket
        s = socket.socket(socket.AF_UNIX); s.bind("socket"); s.close()
        os.mknod("d/minor", 0o020600, os.makedev(4095, 1048575))
        PY
        """);
    layer = SourceLayer.of(source, scratch.resolve("device"));
    Path image = scratch.resolve("layer.erofs");
    MetadataImageWriter.write(layer.tree(), layer.slots(), image);
    merged = scratch.resolve("merged.erofs");
    MetadataImageMerge.merge(List.of(image), merged);
  }

  @Test
  void kernel_showsTheSource() throws Exception {
    Path target = Files.createDirectory(scratch.resolve("mount"));
    try (ErofsMount _ = ErofsMount.of(merged, List.of(layer.device()), target)) {
      ListingAssert.assertThatTree(TreeListing.of(target.resolve("fs")))
          .isTree(TreeListing.of(source));
    }
  }

  @Test
  void reader_showsTheSource() throws Exception {
    try (MetadataImage image = MetadataImage.open(merged)) {
      long tree = image.lookup(image.rootNid(), TreeMerger.TREE);
      ListingAssert.assertThatTree(ImageListing.of(image, tree, List.of(layer.device())))
          .isTree(TreeListing.of(source));
      assertThat(image.devices()).isEqualTo(layer.slots());
    }
  }

  @Test
  void fsck_acceptsEveryImage() throws Exception {
    for (String name : List.of("layer.erofs", "merged.erofs")) {
      Commands.run(
          "fsck.erofs",
          "--extract",
          "--device=" + layer.device(),
          scratch.resolve(name).toString());
    }
  }

  @Test
  void fsck_extractsTheSource() throws Exception {
    Path extracted = scratch.resolve("extracted");
    Path small = Files.createDirectory(scratch.resolve("small"));
    Commands.bash(small, "mkdir d; echo a > d/a; head -c 70000 /dev/urandom > b; ln -s b c");
    SourceLayer smallLayer = SourceLayer.of(small, scratch.resolve("small-device"));
    Path image = scratch.resolve("small.erofs");
    MetadataImageWriter.write(smallLayer.tree(), smallLayer.slots(), image);
    Commands.run(
        "fsck.erofs",
        "--extract=" + extracted,
        "--device=" + smallLayer.device(),
        image.toString());
    Commands.run("diff", "-r", small.toString(), extracted.toString());
  }

  @Test
  void dump_readsTheSuperblock() throws Exception {
    String output =
        Commands.run("dump.erofs", "-s", "--device=" + layer.device(), merged.toString());
    try (MetadataImage image = MetadataImage.open(merged)) {
      assertThat(output)
          .contains("magic number:                      0xE0F5E1E2")
          .containsPattern("root nid: +" + image.rootNid())
          .containsPattern("inode count: +" + image.superblock().inodeCount())
          .contains("sb_csum")
          .contains("chunked_file")
          .contains("device_table");
    }
  }
}
