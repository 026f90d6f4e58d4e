package sluice.erofs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Bytes;
import sluice.testing.ExpectedListing;
import sluice.testing.Fixtures;
import sluice.testing.ListingAssert;
import sluice.testing.ListingAssert.Loss;
import sluice.testing.Tree;
import sluice.testing.TreeEntry;

/** Images of nydus, and features that mkfs.erofs 1.5 cannot write. */
class ForeignImageTest {

  private static final long NYDUS_CHUNK_BYTES = 1 << 20;

  @TempDir private Path scratch;

  @ParameterizedTest
  @ValueSource(strings = {"separate", "sha256", "encrypt"})
  void open_readsTreeOfRafsBootstrap(String name) throws Exception {
    Path bootstrap = Fixtures.root().resolve("raw-nydus").resolve(name).resolve("image.boot");
    long chunkBytes = name.equals("sha256") ? 1 << 16 : NYDUS_CHUNK_BYTES;
    try (MetadataImage image = MetadataImage.open(bootstrap)) {
      SortedMap<Bytes, TreeEntry> tree = new TreeMap<>();
      collect(image, image.rootNid(), Bytes.EMPTY, tree, chunkBytes);
      SortedMap<Bytes, TreeEntry> expected = new TreeMap<>();
      expected().entries().forEach((path, entry) -> expected.put(path, bare(entry)));
      assertThat(tree).isEqualTo(expected);
      assertThat(image.devices()).hasSize(1);
      assertThat(image.superblock().featureCompat() & 0x4000_0000).isNotZero();
      assertThat(image.superblock().deviceSlotOffset()).isEqualTo(11);
    }
  }

  @Test
  void open_readsTarfsWithBlocksOf512Bytes() throws Exception {
    Path tar = scratch.resolve("layer.tar");
    Fixtures reader = Fixtures.of("reader");
    Path gzip = reader.blob(reader.document(Fixtures.SOURCE).layers().get(1).digest());
    try (var in = new GZIPInputStream(Files.newInputStream(gzip))) {
      Files.copy(in, tar);
    }
    Path bootstrap = Fixtures.root().resolve("raw-nydus/tarfs/image.boot");
    try (MetadataImage image = MetadataImage.open(bootstrap)) {
      ListingAssert.assertThatTree(ImageListing.of(image, image.rootNid(), List.of(tar)))
          .losing(Loss.NANOSECONDS, Loss.TIMES_BEFORE_1970)
          .isTree(expected());
    }
  }

  @Test
  void xattrs_readsLongPrefixes() throws Exception {
    LayerTree tree = new LayerTree("prefixes");
    SortedMap<Bytes, Bytes> xattrs = new TreeMap<>(Map.of(path("user.own"), path("value")));
    tree.directory(path(""), new Attributes(0755, 0, 0, 0, 0, xattrs));
    Path file = scratch.resolve("image");
    MetadataImageWriter.write(tree, List.of(), file);
    byte[] bytes = Files.readAllBytes(file);
    byte[] more = Arrays.copyOf(bytes, bytes.length + 4096);
    int entry = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("\3\1\5\0ownvalue");
    more[entry + 1] = (byte) 0x81;
    ByteBuffer image = ByteBuffer.wrap(more).order(ByteOrder.LITTLE_ENDIAN);
    image.putInt(1024 + 80, Superblock.INCOMPAT_XATTR_PREFIXES);
    image.put(1024 + 91, (byte) 2);
    image.putInt(1024 + 92, bytes.length / 4);
    putPrefix(image, bytes.length, 4, "");
    putPrefix(image, bytes.length + 4, 6, "long.prefix.");
    Files.write(file, DamagedImageTest.rechecked(more));
    try (MetadataImage opened = MetadataImage.open(file)) {
      Inode root = opened.inode(opened.rootNid());
      assertThat(opened.xattrs(root))
          .isEqualTo(Map.of(path("security.long.prefix.own"), path("value")));
    }
  }

  private static void putPrefix(ByteBuffer image, int at, int base, String infix) {
    image.putShort(at, (short) (1 + infix.length()));
    image.put(at + 2, (byte) base);
    image.put(at + 3, infix.getBytes(StandardCharsets.US_ASCII));
  }

  private static Tree expected() throws IOException {
    return ExpectedListing.read(Fixtures.root().resolve("raw-nydus.expected.jsonl"));
  }

  /** Without what RAFS keeps elsewhere. */
  private static TreeEntry bare(TreeEntry entry) {
    return new TreeEntry(
        entry.type(),
        entry.mode(),
        entry.uid(),
        entry.gid(),
        entry.size(),
        null,
        null,
        null,
        1,
        Bytes.EMPTY,
        entry.xattrs(),
        null);
  }

  private static void collect(
      MetadataImage image, long nid, Bytes path, SortedMap<Bytes, TreeEntry> tree, long chunkBytes)
      throws IOException {
    Inode inode = image.inode(nid);
    boolean regular = inode.type() == FileType.REGULAR;
    tree.put(
        path,
        bare(
            new TreeEntry(
                sluice.testing.FileType.ofMode(inode.mode()),
                inode.mode() & 07777,
                inode.uid(),
                inode.gid(),
                regular ? inode.sizeBytes() : 0,
                null,
                null,
                null,
                1,
                Bytes.EMPTY,
                image.xattrs(inode),
                null)));
    if (regular && inode.sizeBytes() > 0) {
      ChunkIndexes indexes = image.chunkIndexes(inode, chunkBytes);
      assertThat(indexes.count()).isEqualTo((inode.sizeBytes() + chunkBytes - 1) / chunkBytes);
      for (long i = 0; i < indexes.count(); i++) {
        assertThat(indexes.deviceId(i) & 0xff).isEqualTo(1);
        assertThat(indexes.startBlock(i) * 4096)
            .isLessThan(image.devices().getFirst().lengthBytes());
      }
    }
    SortedMap<Bytes, Long> children = new TreeMap<>();
    if (inode.isDirectory()) {
      image.list(inode, 0, (next, child, type, name) -> children.put(name, child) == null);
    }
    for (Map.Entry<Bytes, Long> child : children.entrySet()) {
      Bytes name = child.getKey();
      if (!TreePath.isDot(name) && !TreePath.isDotDot(name)) {
        Bytes childPath = path.length() == 0 ? name : TreePath.join(List.of(path, name));
        collect(image, child.getValue(), childPath, tree, chunkBytes);
      }
    }
  }

  private static Bytes path(String path) {
    return Bytes.utf8(path);
  }
}
