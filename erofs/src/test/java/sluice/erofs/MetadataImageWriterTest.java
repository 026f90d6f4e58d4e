package sluice.erofs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Bytes;
import sluice.core.CorruptException;

class MetadataImageWriterTest {

  private static final long BLOCK = 4096;
  private static final Attributes PLAIN = new Attributes(0644, 0, 0, 0, 0);
  private static final DeviceSlot A = new DeviceSlot("a", BLOCK << 20);
  private static final DeviceSlot B = new DeviceSlot("b", BLOCK << 20);

  @TempDir private Path scratch;
  private final LayerTree tree = new LayerTree("test layer");

  @Test
  void write_contiguousFileHasOneIndex() throws Exception {
    tree.file(path("f"), PLAIN, FileContent.contiguous((3L << 30) + 1, 0, 7 * BLOCK));
    assertThat(indexesOf("f")).isEqualTo(1);
  }

  @Test
  void write_chunksAreAsLargeAsExtentsAllow() throws Exception {
    tree.file(
        path("joined"),
        PLAIN,
        new FileContent(
            64 * BLOCK,
            List.of(
                new Extent(0, 3 * BLOCK, 0, 0),
                new Extent(3 * BLOCK, 29 * BLOCK, 0, 3 * BLOCK),
                new Extent(32 * BLOCK, 32 * BLOCK, 1, 0))));
    tree.file(
        path("hole"),
        PLAIN,
        new FileContent(1 << 30, List.of(new Extent(512L << 20, 1 << 20, 0, 0))));
    tree.file(path("zeros"), PLAIN, new FileContent(Long.MAX_VALUE >> 20, List.of()));
    assertThat(indexesOf("joined")).isEqualTo(2);
    assertThat(indexesOf("hole")).isEqualTo(1024);
    assertThat(indexesOf("zeros")).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void write_anyAlignedExtentsComeBack(long seed) throws Exception {
    Random random = new Random(seed);
    List<FileContent> files = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      files.add(randomContent(random));
      tree.file(path("f" + i), PLAIN, files.get(i));
    }
    try (MetadataImage image = written()) {
      for (int i = 0; i < files.size(); i++) {
        assertMapsTo(
            image, image.inode(image.lookup(image.rootNid(), path("f" + i))), files.get(i));
      }
    }
  }

  private static FileContent randomContent(Random random) {
    List<Extent> extents = new ArrayList<>();
    long at = 0;
    int count = random.nextInt(6);
    for (int i = 0; i < count; i++) {
      at += random.nextBoolean() ? 0 : random.nextInt(1, 40) * BLOCK;
      long length = (1L << random.nextInt(6)) * BLOCK;
      extents.add(new Extent(at, length, random.nextInt(2), random.nextInt(1000) * BLOCK));
      at += length;
    }
    return new FileContent(at + (random.nextBoolean() ? 0 : random.nextInt(100_000)), extents);
  }

  private static void assertMapsTo(MetadataImage image, Inode file, FileContent content)
      throws IOException {
    assertThat(file.sizeBytes()).isEqualTo(content.sizeBytes());
    for (long at = 0; at < content.sizeBytes(); at += BLOCK) {
      Mapping found = image.map(file, at);
      int device = Mapping.ZEROS;
      long offset = 0;
      for (Extent extent : content.extents()) {
        if (at >= extent.fileOffset() && at < extent.fileEnd()) {
          device = extent.device();
          offset = extent.deviceOffset() + at - extent.fileOffset();
        }
      }
      assertThat(found.device()).as("%s at %d", content, at).isEqualTo(device);
      assertThat(found.deviceOffset()).as("%s at %d", content, at).isEqualTo(offset);
      assertThat(found.lengthBytes()).isPositive();
    }
  }

  @Test
  void write_keepsXattrsOfEverySize() throws Exception {
    SortedMap<Bytes, Bytes> many = new TreeMap<>();
    for (int i = 0; i < 400; i++) {
      many.put(path("user.n" + i), path("v" + i));
    }
    SortedMap<Bytes, Bytes> large = new TreeMap<>(many);
    large.put(path("user." + "n".repeat(250)), Bytes.EMPTY);
    large.put(path("security.capability"), Bytes.of(new byte[20]));
    large.put(path("system.posix_acl_access"), Bytes.of(new byte[28]));
    for (int i = 0; i < 20; i++) {
      large.put(path("trusted.large" + i), Bytes.of(new byte[65_535 - i]));
    }
    tree.file(path("a"), PLAIN.withXattrs(many), FileContent.empty());
    tree.file(path("b"), PLAIN.withXattrs(many), FileContent.empty());
    tree.symlink(path("c"), PLAIN.withXattrs(large), path("t".repeat(4095)));
    try (MetadataImage image = written()) {
      assertThat(image.xattrs(inode(image, "a"))).isEqualTo(many);
      assertThat(image.xattrs(inode(image, "b"))).isEqualTo(many);
      assertThat(image.xattrs(inode(image, "c"))).isEqualTo(large);
      assertThat(image.xattr(inode(image, "c"), path("trusted.large3")))
          .isEqualTo(Bytes.of(new byte[65_532]));
      assertThat(image.xattr(inode(image, "c"), path("trusted.none"))).isNull();
      assertThat(image.linkTarget(inode(image, "c")).length()).isEqualTo(4095);
    }
  }

  @Test
  void write_equalXattrsAreStoredOnce() throws Exception {
    SortedMap<Bytes, Bytes> label = new TreeMap<>();
    label.put(path("security.selinux"), path("system_u:object_r:usr_t:s0".repeat(20)));
    for (int i = 0; i < 1000; i++) {
      tree.file(path("f" + i), PLAIN.withXattrs(label), FileContent.empty());
    }
    try (MetadataImage image = written()) {
      assertThat(image.lengthBytes()).isLessThan(1000 * 200);
    }
  }

  @Test
  void write_isDeterministic() throws Exception {
    byte[] first = null;
    for (boolean forward : new boolean[] {true, false}) {
      LayerTree again = new LayerTree("again");
      for (int i = 0; i < 500; i++) {
        int number = forward ? i : 499 - i;
        again.file(path("d" + number % 7 + "/f" + number), PLAIN, FileContent.contiguous(5, 0, 0));
      }
      Path image = scratch.resolve("again" + forward);
      MetadataImageWriter.write(again, List.of(A), image);
      byte[] bytes = Files.readAllBytes(image);
      first = first == null ? bytes : first;
      assertThat(bytes).isEqualTo(first);
    }
  }

  @Test
  void write_twiceGivesTheSame() throws Exception {
    tree.file(path("d/f"), PLAIN, FileContent.contiguous(5, 0, 0));
    tree.hardLink(path("g"), path("d/f"), PLAIN);
    Path one = scratch.resolve("one");
    Path two = scratch.resolve("two");
    MetadataImageWriter.write(tree, List.of(A), one);
    MetadataImageWriter.write(tree, List.of(A), two);
    assertThat(one).hasSameBinaryContentAs(two);
  }

  @Test
  void write_keepsMarksThatMergingResolves() throws Exception {
    tree.file(path("d/f"), PLAIN, FileContent.empty());
    tree.opaque(path("o"));
    tree.whiteout(path("w"));
    tree.hardLink(path("l"), path("below/x"), PLAIN);
    try (MetadataImage image = written()) {
      assertThat(image.xattrs(inode(image, "d"))).containsOnlyKeys(Marks.IMPLIED);
      assertThat(image.xattrs(inode(image, "o"))).containsOnlyKeys(Marks.IMPLIED, Marks.OPAQUE);
      assertThat(image.xattr(inode(image, "l"), Marks.LINK)).isEqualTo(path("below/x"));
      assertThat(LayerStack.isWhiteout(inode(image, "w"))).isTrue();
    }
  }

  @Test
  void write_whatErofsCannotHold_isRefusedByPath() throws Exception {
    refused(
        "name of 256 bytes",
        layer -> layer.file(path("d/" + "n".repeat(256)), PLAIN, FileContent.empty()));
    refused(
        "link target of 4096 bytes",
        layer -> layer.symlink(path("d/s"), PLAIN, path("t".repeat(4096))));
    refused("link target of 0 bytes", layer -> layer.symlink(path("d/s"), PLAIN, Bytes.EMPTY));
    refused(
        "lies outside of its device",
        layer -> layer.file(path("d/f"), PLAIN, FileContent.contiguous(1, 9, 0)));
    refused(
        "lies outside of its device",
        layer -> layer.file(path("d/f"), PLAIN, FileContent.contiguous(1 + (BLOCK << 20), 0, 0)));
    refused(
        "chunks of 4096 bytes, the limit is",
        layer ->
            layer.file(
                path("d/f"),
                PLAIN,
                new FileContent(Long.MAX_VALUE, List.of(new Extent(0, BLOCK, 0, 0)))));
    SortedMap<Bytes, Bytes> value = new TreeMap<>();
    value.put(path("user.v"), Bytes.of(new byte[65_536]));
    refused("of 65536 bytes", layer -> layer.directory(path("d"), PLAIN.withXattrs(value)));
    SortedMap<Bytes, Bytes> name = new TreeMap<>();
    name.put(path("user." + "n".repeat(251)), Bytes.EMPTY);
    refused("xattr name of 256 bytes", layer -> layer.directory(path("d"), PLAIN.withXattrs(name)));
    assertThatThrownBy(() ->
            MetadataImageWriter.write(tree, Collections.nCopies(65_536, A), scratch.resolve("x")))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void xattrNames_areThoseOfTheWholeImage() throws Exception {
    tree.directory(path(""), PLAIN);
    tree.file(path("none"), PLAIN, FileContent.empty());
    try (MetadataImage image = written()) {
      assertThat(image.xattrNames()).isEmpty();
    }
    tree.file(path("a"), PLAIN.withXattrs(xattrs("user.a", "security.b")), FileContent.empty());
    tree.file(path("b"), PLAIN.withXattrs(xattrs("user.a")), FileContent.empty());
    Path file = scratch.resolve("named");
    MetadataImageWriter.write(tree, List.of(), file);
    try (MetadataImage image = MetadataImage.open(file)) {
      assertThat(image.xattrNames()).containsExactly(path("security.b"), path("user.a"));
      assertThat(image.xattrs(inode(image, "a")))
          .containsOnlyKeys(path("security.b"), path("user.a"));
      assertThat(image.xattrs(inode(image, "none"))).isEmpty();
    }
  }

  @Test
  void xattrNames_tooManyToKeep_areNotSaid() throws Exception {
    for (int i = 0; i < 65; i++) {
      tree.file(path("f" + i), PLAIN.withXattrs(xattrs("user." + i)), FileContent.empty());
    }
    try (MetadataImage image = written()) {
      assertThat(image.xattrNames()).isNull();
      assertThat(image.xattrs(inode(image, "f64"))).containsOnlyKeys(path("user.64"));
    }
  }

  private static SortedMap<Bytes, Bytes> xattrs(String... names) {
    SortedMap<Bytes, Bytes> xattrs = new TreeMap<>();
    for (String name : names) {
      xattrs.put(path(name), path("v"));
    }
    return xattrs;
  }

  private interface Entry {
    void to(LayerTree tree) throws IOException;
  }

  private void refused(String message, Entry entry) throws IOException {
    LayerTree layer = new LayerTree("layer sha256:1234");
    entry.to(layer);
    Path image = scratch.resolve("refused");
    assertThatThrownBy(() -> MetadataImageWriter.write(layer, List.of(A), image))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("\"d")
        .hasMessageContaining("layer sha256:1234");
    assertThat(image).doesNotExist();
  }

  private long indexesOf(String name) throws IOException {
    Path file = Files.createTempFile(scratch, "count", "");
    Files.delete(file);
    MetadataImageWriter.write(tree, List.of(A, B), file);
    try (MetadataImage image = MetadataImage.open(file)) {
      Inode inode = inode(image, name);
      return image.chunkIndexes(inode, BLOCK << (inode.layoutWord() & 31)).count();
    }
  }

  private MetadataImage written() throws IOException {
    Path file = scratch.resolve("image");
    MetadataImageWriter.write(tree, List.of(A, B), file);
    return MetadataImage.open(file);
  }

  private static Inode inode(MetadataImage image, String name) throws IOException {
    return image.inode(image.lookup(image.rootNid(), path(name)));
  }

  private static Bytes path(String path) {
    return Bytes.utf8(path);
  }
}
