package sluice.formats.rafs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.Lane;
import sluice.core.LayerFormat;
import sluice.core.LayerIndex;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.testing.Fixtures;
import sluice.testing.LayoutRangeSource;

/** Images that refer into layers which are not there, or are not what is said of them. */
class ZranFaultsTest {

  private final LayoutRangeSource source = new LayoutRangeSource();
  private final MemoryDevices devices = new MemoryDevices(source);

  @TempDir private Path directory;

  @Test
  void index_whereAReferencedLayerIsNotThere_saysWhatToDo() throws IOException {
    Fixtures fixtures = Fixtures.of("reader");
    Path copy = directory.resolve("copy");
    Files.createDirectories(copy.resolve("blobs/sha256"));
    List<Digest> kept = new ArrayList<>(ZranImage.layers(fixtures, ZranImage.TAG));
    List<Digest> referenced = ZranImage.layers(fixtures, Fixtures.SOURCE);
    kept.addAll(referenced.subList(0, 2));
    for (Digest blob : kept) {
      Files.copy(fixtures.blob(blob), copy.resolve("blobs/sha256").resolve(blob.hex()));
    }
    LayerFormat.Layer there = ZranImage.unchanged(fixtures);
    Repository holder = new Repository.InLayout(copy);
    LayerFormat.Layer moved =
        new LayerFormat.Layer(there.image(), there.position(), there.diffId(), Set.of(holder));

    assertThatThrownBy(() -> index(moved, source))
        .isInstanceOfSatisfying(
            FetchException.class,
            e -> assertThat(e.reason()).isEqualTo(FetchException.Reason.NOT_FOUND))
        .hasMessageContaining("layer " + referenced.getLast() + ", into which")
        .hasMessageContaining("is not in [" + holder + "]")
        .hasMessageContaining("its last byte of 49481")
        .hasMessageContaining("push the image it was made from (127.0.0.1:5055/a/reader:src)");
    assertThat(devices.indexes()).isEmpty();
  }

  @Test
  void index_whereAReferencedLayerIsShorter_isAnErrorOfTheSource() throws IOException {
    ZranImage image = ZranImage.of("reader", directory);
    image.bootstrap.putLong(image.blobEntry(1) + 88, 1 << 20);
    assertThatThrownBy(() -> index(image.layer(), source))
        .isInstanceOf(IOException.class)
        .isNotInstanceOf(CorruptException.class)
        .hasMessageContaining(
            ZranImage.layers(Fixtures.of("reader"), Fixtures.SOURCE).get(1).toString());
  }

  @Test
  void index_whereTheManifestDoesNotReferToTheLayer_isCorrupt() throws IOException {
    ZranImage image = ZranImage.of("one", directory);
    Descriptor blob = Fixtures.of("one").document(ZranImage.TAG).layers().getFirst();
    Descriptor other =
        new Descriptor(
            blob.mediaType(),
            blob.digest(),
            blob.sizeBytes(),
            Map.of(RafsFormat.REFERENCE_ANNOTATION, Digest.sha256(new byte[0]).toString()),
            List.of(),
            null,
            null);
    assertThatThrownBy(() -> index(image.layer(List.of(other, blob)), source))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("which the manifest says to refer to sha256:e3b0c442");
    assertThatThrownBy(() -> index(image.layer(List.of(blob)), source))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("which the manifest says to refer to no layer");
  }

  @Test
  void index_ofAnotherTableOfContents_isCorrupt() throws Exception {
    ZranImage image = ZranImage.of("one", directory);
    int toc = image.blobEntry(0) + 136;
    image.bootstrap.put(toc, (byte) (image.bootstrap.get(toc) ^ 1));
    assertThatThrownBy(() -> index(image.layer(), source))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("rafs.blob.toc: not sha256:");

    image.bootstrap.put(toc, new byte[32]);
    ZranImage.assertShows(index(image.layer(), source), devices, Fixtures.of("one"));
  }

  @Test
  void index_ofAWrongBlob_asksAnotherHolderOnce() throws Exception {
    Lying once = new Lying(source, 1);
    ZranImage.assertShows(
        index(ZranImage.of("one", directory).layer(), once), devices, Fixtures.of("one"));
    assertThat(once.rejected)
        .containsExactly(ZranImage.layers(Fixtures.of("one"), ZranImage.TAG).getFirst());

    Lying always = new Lying(source, 2);
    assertThatThrownBy(() -> index(ZranImage.of("one", directory).layer(), always))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("digest: sha256:")
        .hasMessageContaining(
            "nydus blob " + ZranImage.layers(Fixtures.of("one"), ZranImage.TAG).getFirst());
  }

  private LayerIndex index(LayerFormat.Layer layer, RangeSource from)
      throws IOException, InterruptedException {
    return ZranImage.index(layer, from, devices, directory);
  }

  /** Gives bytes of its own instead of a nydus blob, a few times. */
  private static final class Lying implements RangeSource {
    private final RangeSource source;
    private final List<Digest> rejected = new ArrayList<>();
    private int lies;

    Lying(RangeSource source, int lies) {
      this.source = source;
      this.lies = lies;
    }

    @Override
    public void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
        throws IOException, InterruptedException {
      source.read(blob, holders, offset, into, lane);
    }

    @Override
    public InputStream open(Digest blob, Set<Repository> holders, Lane lane)
        throws IOException, InterruptedException {
      boolean nydus = ZranImage.layers(Fixtures.of("one"), ZranImage.TAG).getFirst().equals(blob);
      return nydus && lies-- > 0
          ? new ByteArrayInputStream(new byte[1 << 20])
          : source.open(blob, holders, lane);
    }

    @Override
    public void rejected(Digest blob, Set<Repository> holders, long offset) {
      rejected.add(blob);
    }
  }
}
