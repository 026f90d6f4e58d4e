package sluice.snapshotter.check;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import sluice.core.Bytes;
import sluice.core.DeviceId;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.Fidelity;
import sluice.core.Fidelity.Times;
import sluice.core.LazyDevice;
import sluice.erofs.Attributes;
import sluice.erofs.DeviceSlot;
import sluice.erofs.FileContent;
import sluice.erofs.FileType;
import sluice.erofs.LayerTree;
import sluice.erofs.MetadataImage;
import sluice.erofs.MetadataImageMerge;
import sluice.erofs.MetadataImageWriter;

final class TreeComparisonTest {

  private static final Attributes PLAIN = new Attributes(0644, 1, 2, 1_000, 5);
  private static final byte[] CONTENT = "what the layer holds".repeat(1000).getBytes(UTF_8);

  /** A name that is not UTF-8. */
  private static final Bytes RAW = Bytes.of((byte) 'd', (byte) 0xff);

  @TempDir private Path directory = Path.of("");
  private int made;

  /** One thing that an index may say wrongly, and what is said of it. */
  enum Lie {
    NONE(""),
    CONTENT("\"/dir/file\" has another byte at 7"),
    SIZE("\"/dir/file\" has size 19999, in the layer 20000"),
    MODE("\"/dir/file\" has mode 104755, in the layer 100644"),
    OWNER("\"/dir/file\" has owner 0, in the layer 1"),
    TIME("\"/dir/file\" has time 2000, in the layer 1000"),
    NANOSECONDS("\"/dir/file\" has nanoseconds of its time 0, in the layer 5"),
    XATTRS("\"/dir/file\" has other xattrs"),
    EMPTY_XATTRS("\"/dir/file\" has other xattrs"),
    TARGET("\"/link\" leads to \"/etc/pwd\", not to \"dir/file\""),
    DEVICE("\"/node\" has device number 2, in the layer 1"),
    TYPE("\"/node\" has mode"),
    MISSING("\"/dir/gone\" of the layer is not shown"),
    MORE("\"/dir/more\" is not in the layer"),
    LINKED("\"/two\" is not linked to the same files"),
    WHITEOUT("\"/hidden\" of the layer is not shown");

    private final String said;

    Lie(String said) {
      this.said = said;
    }
  }

  @ParameterizedTest
  @EnumSource
  void difference_isTheLie(Lie lie) throws Exception {
    Optional<String> found = compare(lie, Fidelity.EXACT);
    if (lie == Lie.NONE) {
      assertThat(found).isEmpty();
    } else {
      assertThat(found).hasValueSatisfying(text -> assertThat(text).startsWith(lie.said));
    }
  }

  @Test
  void difference_whatTheFormatCannotSay_isNone() throws Exception {
    Fidelity seconds = new Fidelity(Set.of(), Times.WHOLE_SECONDS, false, false);
    assertThat(compare(Lie.NANOSECONDS, seconds)).isEmpty();
    assertThat(compare(Lie.TIME, seconds)).isPresent();
    Fidelity hiding = new Fidelity(Set.of(Bytes.utf8("hidden")), Times.EXACT, false, false);
    assertThat(compare(Lie.WHITEOUT, hiding)).isEmpty();
    assertThat(compare(Lie.NONE, hiding)).isEmpty();
    assertThat(compare(Lie.MISSING, hiding)).isPresent();
    Fidelity withoutEmpty = new Fidelity(Set.of(), Times.EXACT, true, false);
    assertThat(compare(Lie.EMPTY_XATTRS, withoutEmpty)).isEmpty();
    assertThat(compare(Lie.NONE, withoutEmpty)).isEmpty();
    assertThat(compare(Lie.XATTRS, withoutEmpty)).isPresent();
  }

  /** How a directory may be shown that the lower of two layers holds as 0700, 5:5. */
  @ParameterizedTest
  @CsvSource({
    "false, 755,  0, 0, true,  ",
    "false, 755,  0, 0, false, has mode 40755",
    "true,  755,  0, 0, true,  has mode 40755",
    "false, 777,  0, 0, true,  has mode 40777",
    "false, 1755, 0, 0, true,  has mode 41755",
    "false, 755,  1, 0, true,  has mode 40755",
    "false, 755,  0, 9, true,  has mode 40755",
    "false, 700,  5, 9, true,  has time 9"
  })
  void difference_ofADirectoryThatIsImplied(
      boolean entry, String mode, int owner, long time, boolean lenient, @Nullable String found)
      throws Exception {
    Attributes below = new Attributes(FileType.DIRECTORY.modeBits() | 0700, 5, 5, 1_000, 0);
    LayerTree lower = new LayerTree("lower");
    lower.directory(RAW, below);
    lower.file(child("a"), PLAIN, FileContent.empty());
    LayerTree upper = new LayerTree("upper");
    if (entry) {
      upper.directory(RAW, below);
    }
    upper.file(child("b"), PLAIN, FileContent.empty());
    LayerTree variant = new LayerTree("variant");
    variant.directory(
        Bytes.EMPTY, new Attributes(FileType.DIRECTORY.modeBits() | 0755, 0, 0, 0, 0));
    variant.directory(
        RAW,
        new Attributes(
            FileType.DIRECTORY.modeBits() | Integer.parseInt(mode, 8), owner, owner, time, 0));
    variant.file(child("a"), PLAIN, FileContent.empty());
    variant.file(child("b"), PLAIN, FileContent.empty());
    List<Path> layers = List.of(image(lower), image(upper));
    Path merged = directory.resolve("merged");
    MetadataImageMerge.merge(layers, merged);
    try (MetadataImage shown = MetadataImage.open(image(variant));
        MetadataImage held = MetadataImage.open(merged);
        DeviceReader none = DeviceReader.open(held, List.of());
        ImpliedDirectories implied = ImpliedDirectories.open(layers)) {
      long tree = held.lookup(held.rootNid(), MetadataImageMerge.TREE);
      assertThat(
              new TreeComparison(
                      TreeComparison.Side.of(shown, none),
                      new TreeComparison.Side(held, tree, none),
                      new Fidelity(Set.of(), Times.EXACT, false, lenient),
                      implied::contains)
                  .difference())
          .satisfies(said -> {
            if (found == null) {
              assertThat(said).isEmpty();
            } else {
              assertThat(said.orElseThrow()).startsWith("\"/" + RAW + "\" " + found);
            }
          });
    }
  }

  private Optional<String> compare(Lie lie, Fidelity fidelity) throws Exception {
    try (ScratchDevices devices = new ScratchDevices(directory, 1 << 20, 1 << 20)) {
      Path shown = tree(lie, devices);
      Path held = tree(Lie.NONE, devices);
      try (MetadataImage one = MetadataImage.open(shown);
          MetadataImage other = MetadataImage.open(held);
          DeviceReader ours = reader(one, devices);
          DeviceReader theirs = reader(other, devices)) {
        return new TreeComparison(
                TreeComparison.Side.of(one, ours),
                TreeComparison.Side.of(other, theirs),
                fidelity,
                path -> false)
            .difference();
      }
    }
  }

  private static Bytes child(String name) {
    return Bytes.of(
        ByteBuffer.allocate(RAW.length() + 1 + name.length())
            .put(RAW.asBuffer())
            .put((byte) '/')
            .put(name.getBytes(UTF_8))
            .array());
  }

  private Path image(LayerTree tree) throws IOException {
    Path image = directory.resolve("tree" + made++);
    MetadataImageWriter.write(tree, List.of(), image);
    return image;
  }

  private static DeviceReader reader(MetadataImage image, ScratchDevices devices)
      throws IOException {
    LazyDevice device = devices.open(new DeviceId(image.devices().getFirst().tag()));
    return DeviceReader.open(image, List.of(device));
  }

  private Path tree(Lie lie, ScratchDevices devices) throws IOException {
    byte[] content = CONTENT.clone();
    if (lie == Lie.CONTENT) {
      content[7] ^= 1;
    }
    LazyDevice device = device(content, devices);
    LayerTree tree = new LayerTree("test");
    tree.directory(Bytes.utf8("dir"), PLAIN);
    tree.file(Bytes.utf8("dir/file"), attributes(lie), content(lie));
    if (lie != Lie.MISSING) {
      tree.file(Bytes.utf8("dir/gone"), PLAIN, FileContent.empty());
    }
    if (lie == Lie.MORE) {
      tree.file(Bytes.utf8("dir/more"), PLAIN, FileContent.empty());
    }
    tree.symlink(
        Bytes.utf8("link"), PLAIN, Bytes.utf8(lie == Lie.TARGET ? "/etc/pwd" : "dir/file"));
    special(lie, tree);
    links(lie, tree);
    if (lie != Lie.WHITEOUT) {
      tree.whiteout(Bytes.utf8("hidden"));
    }
    Path image = directory.resolve("tree" + made++);
    DeviceSlot slot = new DeviceSlot(device.id().hex(), device.lengthBytes());
    MetadataImageWriter.write(tree, List.of(slot), image);
    return image;
  }

  private static Attributes attributes(Lie lie) {
    TreeMap<Bytes, Bytes> xattrs = new TreeMap<>();
    if (lie == Lie.XATTRS) {
      xattrs.put(Bytes.utf8("user.a"), Bytes.utf8("b"));
    }
    if (lie != Lie.EMPTY_XATTRS) {
      xattrs.put(Bytes.utf8("user.empty"), Bytes.EMPTY);
    }
    return new Attributes(
        lie == Lie.MODE ? 04755 : 0644,
        lie == Lie.OWNER ? 0 : 1,
        2,
        lie == Lie.TIME ? 2_000 : 1_000,
        lie == Lie.NANOSECONDS ? 0 : 5,
        xattrs);
  }

  private static FileContent content(Lie lie) {
    int size = lie == Lie.SIZE ? CONTENT.length - 1 : CONTENT.length;
    return FileContent.contiguous(size, 0, 0);
  }

  private static void special(Lie lie, LayerTree tree) throws IOException {
    FileType type = lie == Lie.TYPE ? FileType.BLOCK : FileType.CHARACTER;
    Attributes attributes = new Attributes(type.modeBits() | 0600, 0, 0, 0, 0);
    tree.special(Bytes.utf8("node"), attributes, lie == Lie.DEVICE ? 2 : 1);
  }

  private static void links(Lie lie, LayerTree tree) throws IOException {
    tree.file(Bytes.utf8("one"), PLAIN, FileContent.empty());
    tree.file(Bytes.utf8("two"), PLAIN, FileContent.empty());
    tree.hardLink(Bytes.utf8("one-too"), Bytes.utf8(lie == Lie.LINKED ? "two" : "one"), PLAIN);
    tree.hardLink(Bytes.utf8("two-too"), Bytes.utf8(lie == Lie.LINKED ? "one" : "two"), PLAIN);
  }

  private static LazyDevice device(byte[] content, ScratchDevices devices) throws IOException {
    long blocks = (content.length + 4095L) / 4096;
    try (DeviceStore.Staged staged = devices.stage()) {
      staged.write(ByteBuffer.wrap(content), 0);
      return staged.finish(
          new DeviceIndex(Digest.sha256(content), blocks * 4096, List.of()), Set.of());
    }
  }

  @Test
  void scratchDevices_leaveNothing() throws Exception {
    assertThat(compare(Lie.NONE, Fidelity.EXACT)).isEmpty();
    try (var left = Files.list(directory)) {
      assertThat(left.map(path -> path.getFileName().toString()))
          .allMatch(name -> name.startsWith("tree"));
    }
  }
}
