package sluice.erofs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/** Damaged images end in a {@link CorruptException} or are read; nothing else happens. */
class DamagedImageTest {

  private static final Attributes PLAIN = new Attributes(0644, 0, 0, 0, 0);
  private static final int FLIPS = 800;

  @TempDir static Path scratch;
  private static byte[] good;

  @BeforeAll
  static void write() throws Exception {
    Path image = scratch.resolve("good");
    writeRich(image);
    good = Files.readAllBytes(image);
  }

  /** An image with every structure. */
  static void writeRich(Path image) throws IOException {
    LayerTree tree = new LayerTree("damaged");
    TreeMap<Bytes, Bytes> xattrs = new TreeMap<>();
    xattrs.put(path("user.own"), path("value"));
    xattrs.put(path("security.shared"), path("label"));
    for (int i = 0; i < 300; i++) {
      List<Extent> extents = List.of(new Extent(4096, 4096, 0, 0), new Extent(8192, 99, 1, 4096));
      tree.file(path("big/with-a-name-of-some-length-" + i), PLAIN, new FileContent(8291, extents));
    }
    tree.directory(path("d/e"), PLAIN.withXattrs(xattrs));
    tree.directory(path("d/f"), PLAIN.withXattrs(xattrs));
    tree.symlink(path("d/short"), PLAIN, path("target"));
    tree.symlink(path("d/long"), PLAIN, path("t".repeat(4090)));
    tree.hardLink(path("d/link"), path("big/with-a-name-of-some-length-7"), PLAIN);
    tree.special(path("d/fifo"), new Attributes(0010644, 0, 0, -1, 5), 0);
    List<DeviceSlot> devices = List.of(new DeviceSlot("a", 8192), new DeviceSlot("b", 8192));
    MetadataImageWriter.write(tree, devices, image);
  }

  @Test
  void open_truncatedAnywhere_isRefusedOrRead() throws Exception {
    for (int length = 0; length < good.length; length += length < 1300 ? 3 : 511) {
      read(Arrays.copyOf(good, length));
    }
  }

  @Test
  void open_bitsFlipped_isRefusedOrRead() throws Exception {
    Random random = new Random(1);
    for (int i = 0; i < FLIPS; i++) {
      byte[] bad = good.clone();
      int flips = random.nextInt(1, 8);
      for (int f = 0; f < flips; f++) {
        bad[1024 + random.nextInt(bad.length - 1024)] ^= (byte) (1 << random.nextInt(8));
      }
      read(rechecked(bad));
    }
  }

  @Test
  void open_wordsReplacedByExtremes_isRefusedOrRead() throws Exception {
    long[] extremes = {0, -1, Long.MAX_VALUE, 0x7fff_ffffL, 0xffff_0000L, 1};
    for (int at = 1024; at + 8 <= good.length; at += at < 1600 ? 4 : 252) {
      for (long extreme : extremes) {
        byte[] bad = good.clone();
        ByteBuffer.wrap(bad).order(ByteOrder.LITTLE_ENDIAN).putLong(at, extreme);
        read(rechecked(bad));
      }
    }
  }

  @Test
  void open_wrongMagicOrChecksum_isRefusedByName() throws Exception {
    byte[] magic = good.clone();
    magic[1024] ^= 1;
    assertThatThrownBy(() -> open(magic))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("magic 0xe0f5e1e3, expected 0xe0f5e1e2");
    byte[] checksum = good.clone();
    checksum[1030] ^= 1;
    assertThatThrownBy(() -> open(checksum))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("checksum");
    assertThatThrownBy(() -> open(new byte[0])).isInstanceOf(CorruptException.class);
  }

  @Test
  void open_unknownFeature_isRefusedByName() throws Exception {
    byte[] bad = good.clone();
    ByteBuffer.wrap(bad).order(ByteOrder.LITTLE_ENDIAN).putInt(1024 + 80, 0x18c | 0x1000);
    assertThatThrownBy(() -> open(rechecked(bad)))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("48BIT")
        .hasMessageContaining("METABOX")
        .hasMessageContaining("0x1000");
  }

  @Test
  void merge_directoryCycle_isRefused() throws Exception {
    LayerTree tree = new LayerTree("cycle");
    tree.directory(path("a/b"), PLAIN);
    Path image = scratch.resolve("cycle");
    MetadataImageWriter.write(tree, List.of(), image);
    byte[] bad = Files.readAllBytes(image);
    try (MetadataImage opened = MetadataImage.open(image)) {
      long a = opened.lookup(opened.rootNid(), path("a"));
      long b = opened.lookup(a, path("b"));
      replaceNid(bad, b, a);
    }
    Path cyclic = scratch.resolve("cyclic");
    Files.write(cyclic, rechecked(bad));
    assertThatThrownBy(() -> MetadataImageMerge.merge(List.of(cyclic), scratch.resolve("out")))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("met twice");
  }

  /** Replaces an entry that is no dot: the one whose name begins with a letter. */
  private static void replaceNid(byte[] image, long from, long to) {
    ByteBuffer buffer = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    int replaced = 0;
    for (int at = 1152; at + 12 <= image.length; at += 4) {
      if (buffer.getLong(at) == from && buffer.get(at + 10) == 2 && buffer.get(at + 11) == 0) {
        buffer.putLong(at, to);
        replaced++;
      }
    }
    assertThat(replaced).isPositive();
  }

  private static MetadataImage open(byte[] bytes) throws IOException {
    Path file = scratch.resolve("bad");
    Files.write(file, bytes);
    return MetadataImage.open(file);
  }

  private static void read(byte[] bytes) throws IOException {
    Path file = scratch.resolve("bad");
    Files.write(file, bytes);
    Assertions.assertTimeout(Duration.ofSeconds(20), () -> readWhole(file));
  }

  @Test
  void merge_bitsFlipped_isRefusedOrMerged() throws Exception {
    Random random = new Random(2);
    Path file = scratch.resolve("bad");
    for (int i = 0; i < FLIPS / 4; i++) {
      byte[] bad = good.clone();
      for (int f = 0; f < 3; f++) {
        bad[1024 + random.nextInt(bad.length - 1024)] ^= (byte) (1 << random.nextInt(8));
      }
      Files.write(file, rechecked(bad));
      Assertions.assertTimeout(Duration.ofSeconds(20), () -> merge(file));
    }
  }

  /** Merges a damaged image with itself; what comes out must be sound. */
  static void merge(Path file) throws IOException {
    Path out = file.resolveSibling(file.getFileName() + ".merged");
    try {
      MetadataImageMerge.merge(List.of(file, file), out);
    } catch (CorruptException | UnresolvedLinkException e) {
      assertThat(out).doesNotExist();
      return;
    }
    try (MetadataImage image = MetadataImage.open(out)) {
      ImageListing.walk(image, image.rootNid());
    } finally {
      Files.delete(out);
    }
  }

  /** Reads everything that can be read of an image, each inode once. */
  static void readWhole(Path file) throws IOException {
    try (MetadataImage image = MetadataImage.open(file)) {
      image.devices();
      walk(image, image.rootNid(), new HashSet<>());
    } catch (CorruptException e) {
      assertThat(e.getMessage()).contains("resource=metadata image " + file);
    }
  }

  private static void walk(MetadataImage image, long nid, Set<Long> seen) throws IOException {
    if (!seen.add(nid)) {
      return;
    }
    try {
      Inode inode = image.inode(nid);
      image.xattrs(inode);
      image.xattr(inode, path("user.none"));
      switch (inode.type()) {
        case DIRECTORY -> {
          image.lookup(nid, path("with-a-name-of-some-length-7"));
          image.list(
              inode,
              0,
              (next, child, type, name) -> {
                try {
                  walk(image, child, seen);
                } catch (CorruptException e) {
                  throw e;
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
                return seen.size() < 5000;
              });
        }
        case SYMLINK -> image.linkTarget(inode);
        case REGULAR -> {
          for (long at = 0, runs = 0; at < inode.sizeBytes() && runs < 100; runs++) {
            at += image.map(inode, at).lengthBytes();
          }
        }
        case CHARACTER, BLOCK, FIFO, SOCKET -> DeviceNumber.decode(inode.rdev());
      }
    } catch (CorruptException e) {
      assertThat(e.getMessage()).contains("resource=metadata image");
    }
  }

  /** Mends the checksum, so that damage behind it is reached. */
  static byte[] rechecked(byte[] bytes) {
    if (bytes.length >= 4096) {
      MemorySegment superblock = MemorySegment.ofArray(bytes).asSlice(1024);
      ByteBuffer block = ByteBuffer.wrap(bytes, 1024, 3072).slice();
      Superblock.writeChecksum(superblock, Superblock.checksumOf(block));
    }
    return bytes;
  }

  private static Bytes path(String path) {
    return Bytes.utf8(path);
  }
}
