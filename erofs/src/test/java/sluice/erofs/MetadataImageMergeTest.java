package sluice.erofs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Bytes;
import sluice.core.CorruptException;

class MetadataImageMergeTest {

  private static final long BLOCK = 4096;
  private static final Attributes DIRECTORY = attributes(0700, 1);
  private static final Attributes FILE = attributes(0600, 2);

  @TempDir private Path scratch;
  private final List<Path> layers = new ArrayList<>();

  /** Adds entries to a layer. */
  private interface Entries {
    void to(LayerTree tree) throws IOException;
  }

  /** A layer whose one device has its own tag, and files of a block each. */
  private void layer(Entries entries) throws IOException {
    LayerTree tree = new LayerTree("layer " + layers.size());
    entries.to(tree);
    Path image = scratch.resolve("layer" + layers.size());
    DeviceSlot device = new DeviceSlot("device" + layers.size(), 16 * BLOCK);
    MetadataImageWriter.write(tree, List.of(device), image);
    layers.add(image);
  }

  @Test
  void merge_appliesWhiteoutsAndOpaqueDirectories() throws Exception {
    layer(tree -> {
      file(tree, "gone/a", 0);
      file(tree, "kept/a", 0);
      file(tree, "opaque/a", 0);
      file(tree, "file", 0);
    });
    layer(tree -> {
      tree.whiteout(path("gone"));
      tree.whiteout(path("kept/never"));
      tree.whiteout(path("file"));
      file(tree, "opaque/b", 1);
      tree.opaque(path("opaque"));
      tree.whiteout(path("again"));
      file(tree, "again", 1);
    });
    assertThat(merged().keySet())
        .containsExactly("", "again", "kept", "kept/a", "opaque", "opaque/b");
  }

  /** An image may have a hundred layers of a million inodes each. */
  @Test
  void merge_asksForWhatTheTreeTakes() throws Exception {
    int names = 1000;
    int valueBytes = 2000;
    for (String layer : List.of("a", "b")) {
      layer(tree -> {
        for (int i = 0; i < names; i++) {
          SortedMap<Bytes, Bytes> xattrs =
              new TreeMap<>(Map.of(path("user.a"), path((layer + i).repeat(valueBytes))));
          tree.special(
              path(layer + i), attributes(FileType.FIFO.modeBits(), 1).withXattrs(xattrs), 0);
        }
      });
    }
    long[] asked = new long[1];
    MetadataImageMerge.merge(layers, null, bytes -> asked[0] += bytes, scratch.resolve("measured"));
    assertThat(asked[0]).isGreaterThan(2L * names * (200 + 2 * valueBytes));
    for (long room : List.of(100_000L, asked[0] - 1)) {
      long[] left = {room};
      Path refused = scratch.resolve("refused");
      assertThatThrownBy(() ->
              MetadataImageMerge.merge(
                  layers,
                  null,
                  bytes -> {
                    left[0] -= bytes;
                    if (left[0] < 0) {
                      throw new IOException("no room");
                    }
                  },
                  refused))
          .hasMessage("no room");
      assertThat(refused).doesNotExist();
    }
  }

  @Test
  void merge_replacesTypesInEveryOrder() throws Exception {
    layer(tree -> file(tree, "d/below", 0));
    layer(tree -> file(tree, "d", 0));
    layer(tree -> file(tree, "d/above", 0));
    layer(tree -> tree.symlink(path("s"), FILE, path("d")));
    layer(tree -> file(tree, "s/inside", 0));
    assertThat(merged().keySet()).containsExactly("", "d", "d/above", "s", "s/inside");
  }

  @Test
  void merge_impliedDirectoryTakesAttributesFromBelow() throws Exception {
    SortedMap<Bytes, Bytes> xattrs = new TreeMap<>(Map.of(path("user.a"), path("v")));
    layer(tree -> {
      tree.directory(path(""), attributes(0711, 9));
      tree.directory(path("d"), DIRECTORY.withXattrs(xattrs));
      tree.directory(path("d/e"), DIRECTORY);
      file(tree, "x", 0);
    });
    layer(tree -> {
      file(tree, "d/e/new", 0);
      file(tree, "x/y", 0);
      file(tree, "only/here", 0);
      tree.opaque(path("d/e"));
    });
    Map<String, String> tree = merged();
    assertThat(tree).containsEntry("", "DIRECTORY 711 uid 9 links 5 []");
    assertThat(tree).containsEntry("d", "DIRECTORY 700 uid 1 links 3 [user.a]");
    assertThat(tree).containsEntry("d/e", "DIRECTORY 700 uid 1 links 2 []");
    assertThat(tree).containsEntry("x", "DIRECTORY 755 uid 0 links 2 []");
    assertThat(tree).containsEntry("only", "DIRECTORY 755 uid 0 links 2 []");
  }

  @Test
  void merge_countsTheLinksThatAreLeft() throws Exception {
    layer(tree -> {
      file(tree, "a", 3);
      tree.hardLink(path("b"), path("a"), FILE);
      tree.hardLink(path("d/c"), path("a"), FILE);
    });
    layer(tree -> {
      tree.whiteout(path("a"));
      file(tree, "b", 4);
    });
    Map<String, String> tree = merged();
    assertThat(tree).containsEntry("d/c", "REGULAR 600 uid 2 links 1 [] device0+3");
    assertThat(tree).containsEntry("b", "REGULAR 600 uid 2 links 1 [] device1+4");
  }

  @Test
  void merge_resolvesLinksIntoLowerLayers() throws Exception {
    layer(tree -> file(tree, "d/a", 3));
    layer(tree -> tree.hardLink(path("b"), path("d/a"), attributes(0640, 7)));
    layer(tree -> {
      tree.whiteout(path("d"));
      tree.hardLink(path("c"), path("b"), attributes(0644, 8));
    });
    Map<String, String> tree = merged();
    assertThat(tree.keySet()).containsExactly("", "b", "c");
    assertThat(tree).containsEntry("b", "REGULAR 644 uid 8 links 2 [] device0+3");
    assertThat(tree).containsEntry("c", "REGULAR 644 uid 8 links 2 [] device0+3");
  }

  @Test
  void merge_resolvesLinkToLaterEntryOfItsLayer() throws Exception {
    layer(tree -> {
      tree.hardLink(path("b"), path("a"), attributes(0640, 7));
      file(tree, "a", 3);
    });
    assertThat(merged())
        .containsEntry("a", "REGULAR 640 uid 7 links 2 [] device0+3")
        .containsEntry("b", "REGULAR 640 uid 7 links 2 [] device0+3");
  }

  @Test
  void merge_linkWithoutTarget_namesLayerAndTarget() throws Exception {
    layer(tree -> file(tree, "x", 0));
    layer(tree -> tree.hardLink(path("b"), path("no/where"), FILE));
    assertThatThrownBy(() -> merged())
        .isInstanceOfSatisfying(
            UnresolvedLinkException.class, e -> assertThat(e.layer()).isEqualTo(1))
        .hasMessageContaining("no/where");
    assertThat(scratch.resolve("merged")).doesNotExist();
  }

  @Test
  void merge_linksInCircle_areRefused() throws Exception {
    layer(tree -> {
      tree.hardLink(path("a"), path("b"), FILE);
      tree.symlink(path("s"), FILE, path("."));
      tree.hardLink(path("s/b"), path("c"), FILE);
      tree.hardLink(path("c"), path("x/a"), FILE);
      tree.hardLink(path("x/a"), path("y"), FILE);
      tree.hardLink(path("y"), path("z"), FILE);
      tree.hardLink(path("z"), path("c"), FILE);
    });
    assertThatThrownBy(() -> merged())
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("circle");
  }

  @Test
  void merge_hasOneSlotPerTag() throws Exception {
    layer(tree -> file(tree, "a", 1));
    layer(tree -> file(tree, "b", 2));
    layers.add(layers.getFirst());
    assertThat(merged())
        .containsEntry("a", "REGULAR 600 uid 2 links 1 [] device0+1")
        .containsEntry("b", "REGULAR 600 uid 2 links 1 [] device1+2");
    try (MetadataImage image = MetadataImage.open(scratch.resolve("merged"))) {
      assertThat(image.devices()).extracting(DeviceSlot::tag).containsExactly("device0", "device1");
    }
  }

  @Test
  void merge_isDeterministicAndRepeatable() throws Exception {
    layer(tree -> file(tree, "d/a", 1));
    layer(tree -> tree.hardLink(path("b"), path("d/a"), FILE));
    merged();
    byte[] once = Files.readAllBytes(scratch.resolve("merged"));
    Files.delete(scratch.resolve("merged"));
    merged();
    assertThat(Files.readAllBytes(scratch.resolve("merged"))).isEqualTo(once);
    assertThatThrownBy(() -> merged()).isInstanceOf(IOException.class);
  }

  @Test
  void merge_of500Layers_showsTheTopmost() throws Exception {
    for (int i = 0; i < 500; i++) {
      int number = i;
      layer(tree -> {
        file(tree, "same", number % 16);
        file(tree, "d/file" + number, 0);
        if (number > 0) {
          tree.whiteout(path("d/file" + (number - 1)));
        }
      });
    }
    Map<String, String> tree = merged();
    assertThat(tree.keySet()).containsExactly("", "d", "d/file499", "same");
    assertThat(tree).containsEntry("same", "REGULAR 600 uid 2 links 1 [] device499+3");
  }

  @Test
  void mergeOver_keepsWhatOverlayfsNeeds() throws Exception {
    layer(tree -> {
      tree.whiteout(path("gone"));
      file(tree, "opaque/a", 0);
      tree.opaque(path("opaque"));
      tree.whiteout(path("replaced"));
      file(tree, "open/a", 0);
      file(tree, "hidden", 0);
    });
    layer(tree -> {
      file(tree, "replaced/a", 0);
      tree.whiteout(path("hidden"));
      tree.directory(path("own"), DIRECTORY);
    });
    Path out = scratch.resolve("over");
    MetadataImageMerge.mergeOver(
        layers,
        path ->
            List.of("", "open", "replaced").contains(path.toString())
                ? Optional.of(attributes(0711, 55))
                : Optional.empty(),
        out);
    Map<String, String> tree = listing(out);
    assertThat(tree)
        .containsEntry("", "DIRECTORY 711 uid 55 links 6 []")
        .containsEntry("gone", "CHARACTER 0 uid 0 links 1 []")
        .containsEntry("hidden", "CHARACTER 0 uid 0 links 1 []")
        .containsEntry("opaque", "DIRECTORY 755 uid 0 links 2 [trusted.overlay.opaque]")
        .containsEntry("replaced", "DIRECTORY 755 uid 0 links 2 [trusted.overlay.opaque]")
        .containsEntry("open", "DIRECTORY 711 uid 55 links 2 []")
        .containsEntry("own", "DIRECTORY 700 uid 1 links 2 []");
  }

  @Test
  void mergeOver_whiteoutsWhereNothingLiesBelow_areLeftOut() throws Exception {
    layer(tree -> {
      tree.opaque(path("opaque"));
      file(tree, "opaque/deep/a", 0);
      file(tree, "own/a", 0);
      file(tree, "open/a", 0);
    });
    layer(tree -> {
      for (String directory : List.of("opaque", "opaque/deep", "own", "open", "open/deep")) {
        tree.whiteout(path(directory + "/gone"));
        tree.whiteout(path(directory + "/a"));
      }
    });
    Path out = scratch.resolve("over");

    MetadataImageMerge.mergeOver(
        layers,
        path -> path.equals(path("own")) ? Optional.empty() : Optional.of(attributes(0711, 55)),
        out);

    assertThat(listing(out).keySet())
        .containsExactly(
            "",
            "opaque",
            "opaque/deep",
            "open",
            "open/a",
            "open/deep",
            "open/deep/a",
            "open/deep/gone",
            "open/gone",
            "own");
  }

  @Test
  void merge_ofDamagedImage_isRefused() throws Exception {
    layer(tree -> file(tree, "a", 0));
    byte[] bytes = Files.readAllBytes(layers.getFirst());
    Path broken = scratch.resolve("broken");
    bytes[1200] ^= 1;
    Files.write(broken, bytes);
    layers.add(broken);
    assertThatThrownBy(() -> merged())
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("checksum")
        .hasMessageContaining("broken");
  }

  private Map<String, String> merged() throws IOException {
    Path out = scratch.resolve("merged");
    MetadataImageMerge.merge(layers, out);
    return listing(out);
  }

  /** Path to what is there, in words. */
  private static Map<String, String> listing(Path file) throws IOException {
    Map<String, String> tree = new TreeMap<>();
    try (MetadataImage image = MetadataImage.open(file)) {
      describe(image, image.lookup(image.rootNid(), path("fs")), "", tree);
    }
    return tree;
  }

  private static void describe(MetadataImage image, long nid, String path, Map<String, String> tree)
      throws IOException {
    Inode inode = image.inode(nid);
    StringBuilder text = new StringBuilder();
    text.append(
        "%s %o uid %d links %d %s"
            .formatted(
                inode.type(),
                inode.mode() & 07777,
                inode.uid(),
                inode.nlink(),
                image.xattrs(inode).keySet()));
    if (inode.type() == FileType.REGULAR && inode.sizeBytes() > 0) {
      Mapping mapping = image.map(inode, 0);
      text.append(
          " %s+%d"
              .formatted(
                  image.devices().get(mapping.device()).tag(), mapping.deviceOffset() / BLOCK));
    }
    tree.put(path, text.toString());
    if (inode.isDirectory()) {
      List<Map.Entry<Bytes, Long>> children = new ArrayList<>();
      image.list(
          inode,
          0,
          (next, child, type, name) -> {
            children.add(Map.entry(name, child));
            return true;
          });
      for (Map.Entry<Bytes, Long> child : children) {
        String name = child.getKey().toString();
        if (!name.equals(".") && !name.equals("..")) {
          describe(image, child.getValue(), path.isEmpty() ? name : path + "/" + name, tree);
        }
      }
    }
  }

  private static void file(LayerTree tree, String path, int block) throws IOException {
    tree.file(path(path), FILE, FileContent.contiguous(100, 0, block * BLOCK));
  }

  private static Attributes attributes(int mode, long uid) {
    return new Attributes(mode, uid, 0, 0, 0);
  }

  private static Bytes path(String path) {
    return Bytes.utf8(path);
  }
}
