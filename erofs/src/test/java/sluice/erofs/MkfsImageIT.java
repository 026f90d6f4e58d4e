package sluice.erofs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.CorruptException;
import sluice.testing.ListingAssert;
import sluice.testing.ListingAssert.Loss;
import sluice.testing.TreeListing;

/** Images that mkfs.erofs made of a real directory are read as that directory. */
class MkfsImageIT {

  /** What EROFS can hold of files; mkfs.erofs 1.5 fails on names of 255 bytes. */
  static final String SOURCE =
      """
      mkdir -p d/e/f many empty sticky; chmod 1777 sticky
      for n in 0 1 2 4095 4096 4097 65536 100001; do head -c $n /dev/urandom > d/size$n; done
      head -c 3000000 /dev/urandom > d/big; truncate -s 5M d/hole
      dd if=/dev/urandom of=d/hole bs=4096 count=3 seek=700 conv=notrunc status=none
      cp d/big d/e/same; for i in $(seq 3000); do : > many/entry-with-a-longish-name-$i; done
      ln d/size4097 d/e/link; ln -s ../d/big d/sym
      ln -s "$(head -c 4000 /dev/zero | tr '\\0' x)" d/longsym
      touch "d/$(head -c 254 /dev/zero | tr '\\0' n)" $'d/\\xff\\xfe' 'd/ö'
      mknod d/null c 1 3; mknod d/blk b 259 70000; mkfifo d/fifo
      chown 70000:4000000000 d/big; chown 12:34 d/size1; chmod 06751 d/size2; chmod 0 d/size4095
      touch -d @1.123456789 d/size1; touch -d @-2.25 d/size2; touch -d @8000000000.5 d/size4095
      for f in d/size* many/*-1*; do setfattr -n user.shared -v everywhere "$f"; done
      setfattr -n user.empty d/big; setfattr -n trusted.t -v "$(head -c 2000 /dev/zero | tr '\\0' t)" d/big
      setfattr -n user.dir -v x d; setfattr -h -n trusted.sym -v y d/sym
      setfacl -m u:123:rw d/size4096 2>/dev/null ||
        setfattr -n security.other -v z d/size4096
      """;

  @TempDir static Path scratch;
  private static Path source;

  @BeforeAll
  static void makeSource() throws Exception {
    source = Files.createDirectory(scratch.resolve("source"));
    Commands.bash(source, SOURCE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-Enoinline_data",
        "-Eforce-inode-extended",
        "-Elegacy-compress",
        "-x-1",
        "-x1000",
        "--chunksize=4096",
        "--chunksize=65536",
        "--chunksize=65536 -Eforce-chunk-indexes",
        "--chunksize=16384 --blobdev=BLOB",
        "--chunksize=1048576 --blobdev=BLOB -Enoinline_data"
      })
  void open_readsImageOfMkfs(String options) throws Exception {
    Path blob = scratch.resolve("blob" + options.hashCode());
    Path file = mkfs(options.replace("BLOB", blob.toString()));
    try (MetadataImage image = MetadataImage.open(file)) {
      ImageListing listing = ImageListing.of(image, image.rootNid(), List.of(blob));
      ListingAssert expected = ListingAssert.assertThatTree(listing);
      assertThat(image.xattrNames()).isNull();
      if (options.equals("-x-1")) {
        assertThat(listing.entries().values()).allMatch(entry -> entry.xattrs().isEmpty());
        return;
      }
      expected.isTree(TreeListing.of(source));
      assertThat(image.devices()).hasSize(options.contains("BLOB") ? 1 : 0);
    }
  }

  @Test
  void open_readsCompactInodes() throws Exception {
    Path small = Files.createDirectory(scratch.resolve("compact"));
    Commands.bash(small, "echo a > a; ln a b; ln -s a c; mkdir d; setfattr -n user.x -v y a");
    Path file = scratch.resolve("compact.erofs");
    List<String> command = new ArrayList<>(List.of("mkfs.erofs", "-T1234567890"));
    command.addAll(List.of("-Eforce-inode-compact", file.toString(), small.toString()));
    Commands.run(command);
    try (MetadataImage image = MetadataImage.open(file)) {
      ListingAssert.assertThatTree(ImageListing.of(image, image.rootNid(), List.of()))
          .losing(Loss.TIMES)
          .isTree(TreeListing.of(small));
      Inode root = image.inode(image.rootNid());
      assertThat(root.headerBytes()).isEqualTo(32);
      assertThat(root.mtimeSeconds()).isEqualTo(1234567890L);
      assertThat(root.nlink()).isEqualTo(3);
    }
  }

  @Test
  void inode_refusesCompressedDataByName() throws Exception {
    Path plain = Files.createDirectory(scratch.resolve("compressible"));
    Commands.bash(plain, "head -c 1000000 /dev/zero > zeros");
    Path file = scratch.resolve("lz4.erofs");
    Commands.run("mkfs.erofs", "-zlz4", file.toString(), plain.toString());
    try (MetadataImage image = MetadataImage.open(file)) {
      assertThatThrownBy(() -> ImageListing.of(image, image.rootNid(), List.of()))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("compressed data")
          .hasMessageContaining(file.toString());
    }
    Path big = scratch.resolve("big.erofs");
    Commands.run("mkfs.erofs", "-zlz4", "-C65536", big.toString(), plain.toString());
    assertThatThrownBy(() -> MetadataImage.open(big))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("BIG_PCLUSTER");
  }

  private static Path mkfs(String options) throws IOException, InterruptedException {
    Path file = Files.createTempFile(scratch, "mkfs", ".erofs");
    List<String> command = new ArrayList<>(List.of("mkfs.erofs"));
    if (!options.isEmpty()) {
      command.addAll(List.of(options.split(" ")));
    }
    command.addAll(List.of(file.toString(), source.toString()));
    Commands.run(command);
    return file;
  }
}
