package sluice.snapshotter.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Bytes;
import sluice.core.Digest;
import sluice.erofs.Attributes;
import sluice.erofs.DirectoryWalk;
import sluice.erofs.LayerTree;
import sluice.erofs.MetadataImageWriter;
import sluice.snapshotter.image.MergeInput.Below;

/** Lazy layers are real metadata images, unpacked ones a table of their directories. */
final class LayersBelowTest {

  private static final Bytes A = Bytes.utf8("a");
  private static final Bytes A_B = Bytes.utf8("a/b");

  @TempDir private Path directory = Path.of("");

  /** By the directory of the layer and the path; what is no directory has mode 0. */
  private final Map<Path, Map<Bytes, Attributes>> unpacked = new HashMap<>();

  private final List<Below> below = new ArrayList<>();

  @Test
  void unpackedDirectory_isSeenWithItsXattrs() throws IOException {
    Bytes raw = Bytes.of("gr\u00fc\u00df".getBytes(StandardCharsets.ISO_8859_1));
    Attributes attributes = attributes(02750, "trusted.t", "v");
    local(1, Map.of(raw, attributes));

    assertThat(find(raw)).contains(attributes);
    assertThat(find(Bytes.EMPTY)).contains(attributes(0700));
  }

  @Test
  void topmostLayerThatHasIt_isTaken() throws IOException {
    lazy(tree -> tree.directory(A, attributes(0701)));
    local(1, Map.of(A, attributes(0702)));
    assertThat(mode(A)).isEqualTo(0702);

    lazy(tree -> tree.directory(A, attributes(0703)));
    assertThat(mode(A)).isEqualTo(0703);
  }

  @Test
  void layerThatSaysNothing_isSeenThrough() throws IOException {
    lazy(tree -> {
      tree.directory(A, attributes(0701));
      tree.directory(A_B, attributes(0702));
    });
    local(1, Map.of(A, attributes(0703)));
    lazy(tree -> tree.whiteout(Bytes.utf8("a/b/file")));

    assertThat(mode(A_B)).isEqualTo(0702);
    assertThat(mode(A)).isEqualTo(0703);
    assertThat(find(Bytes.utf8("a/none"))).isEmpty();
  }

  @Test
  void unpackedOpaqueDirectory_hidesWhatLiesBelow() throws IOException {
    lazy(tree -> {
      tree.directory(A, attributes(0701));
      tree.directory(A_B, attributes(0702));
    });
    local(1, Map.of(A, attributes(0703, "trusted.overlay.opaque", "y")));

    assertThat(find(A_B)).isEmpty();
    assertThat(mode(A)).isEqualTo(0703);
  }

  @Test
  void unpackedWhiteoutOrFile_hidesADirectory() throws IOException {
    lazy(tree -> tree.directory(A_B, attributes(0702)));
    local(1, Map.of(A, attributes(0)));

    assertThat(find(A_B)).isEmpty();
    assertThat(find(A)).isEmpty();
  }

  @Test
  void lazyWhiteoutOrOpaque_hidesAnUnpackedDirectory() throws IOException {
    local(1, Map.of(A, attributes(0701), A_B, attributes(0702)));
    lazy(tree -> tree.whiteout(A_B));
    assertThat(find(A_B)).isEmpty();
    assertThat(mode(A)).isEqualTo(0701);

    lazy(tree -> tree.opaque(A));
    assertThat(find(A)).isEmpty();
  }

  private interface Filling {
    void fill(LayerTree tree) throws IOException;
  }

  private void lazy(Filling filling) throws IOException {
    LayerTree tree = new LayerTree("layer " + below.size());
    filling.fill(tree);
    Path image = directory.resolve("layer" + below.size());
    MetadataImageWriter.write(tree, List.of(), image);
    Digest digest = Digest.sha256(new byte[] {(byte) below.size()});
    below.add(
        new Below.Lazy(
            new KeptLayer(
                LayerKey.verified("tar", digest),
                digest,
                false,
                image,
                List.of(),
                List.of(),
                null)));
  }

  private void local(long id, Map<Bytes, Attributes> entries) {
    Path place = directory.resolve("local" + id);
    Map<Bytes, Attributes> all = new HashMap<>(entries);
    all.put(Bytes.EMPTY, attributes(0700));
    unpacked.put(place, all);
    below.add(new Below.Local(id, place));
  }

  private Optional<Attributes> find(Bytes path) throws IOException {
    try (LayersBelow layers = LayersBelow.open(below, this::walk)) {
      return layers.attributes(path);
    }
  }

  private int mode(Bytes path) throws IOException {
    return find(path).orElseThrow().mode() & 07777;
  }

  private DirectoryWalk.Walked walk(Path root, Bytes path) {
    Map<Bytes, Attributes> entries = unpacked.getOrDefault(root, Map.of());
    List<Attributes> found = new ArrayList<>();
    for (int to = 0; to >= 0; to = to == path.length() ? -1 : next(path, to)) {
      Attributes entry = entries.get(path.slice(0, to));
      if (entry == null) {
        return new DirectoryWalk.Walked(found, DirectoryWalk.End.NOTHING);
      }
      if (entry.mode() == 0) {
        return new DirectoryWalk.Walked(found, DirectoryWalk.End.FILE);
      }
      found.add(entry);
    }
    return new DirectoryWalk.Walked(found, DirectoryWalk.End.DIRECTORY);
  }

  /** Where the next part of the path ends. */
  private static int next(Bytes path, int from) {
    int slash = path.indexOf((byte) '/', from + 1);
    return slash < 0 ? path.length() : slash;
  }

  private static Attributes attributes(int mode, String... xattr) {
    TreeMap<Bytes, Bytes> xattrs = new TreeMap<>();
    if (xattr.length > 0) {
      xattrs.put(Bytes.utf8(xattr[0]), Bytes.utf8(xattr[1]));
    }
    return new Attributes(mode, 1, 2, 3, 4, xattrs);
  }
}
