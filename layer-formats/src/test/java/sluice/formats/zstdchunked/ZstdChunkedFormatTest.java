package sluice.formats.zstdchunked;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.core.IndexOrigin;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.LayerIndex;
import sluice.core.RangeSource;
import sluice.formats.testing.BlobSource;
import sluice.formats.testing.PlainDevices;
import sluice.formats.toc.FlakySource;
import sluice.formats.toc.TocLayers;

class ZstdChunkedFormatTest {

  private static final String ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd";
  private static final String GITHUB = "io.github.containers.zstd-chunked.";
  private static final String OLD = "io.containers.zstd-chunked.";
  private static final String TOC =
      "{\"version\":1,\"entries\":[{\"name\":\"d\",\"type\":\"dir\",\"mode\":493}]}";
  private static final byte[] ENCODED = Zstd.compress(TOC.getBytes(UTF_8));
  private static final ManifestPosition POSITION =
      new ManifestPosition(100, ENCODED.length, TOC.length(), 1);
  private static final IndexTrust ALL = (layer, binding) -> Optional.empty();

  @TempDir Path directory;

  private static byte[] blob(boolean podman) {
    return TocLayers.concat(
        new byte[100], ENCODED, new byte[8], ManifestPositionTest.footer(POSITION, podman));
  }

  private static Map<String, String> pinned(String prefix) {
    Map<String, String> annotations = new LinkedHashMap<>();
    annotations.put(prefix + "manifest-checksum", Digest.sha256(ENCODED).toString());
    annotations.put(
        prefix + "manifest-position", "100:%d:%d:1".formatted(ENCODED.length, TOC.length()));
    return annotations;
  }

  private LayerIndex index(FlakySource source, LayerFormat.Layer layer, IndexTrust trust)
      throws Exception {
    if (new ZstdChunkedFormat(source).recognise(layer, trust)
        instanceof Recognition.Tree(var indexer, var _)) {
      return indexer.index(directory.resolve("tree"), new PlainDevices(directory, source));
    }
    throw new AssertionError("not recognised");
  }

  @ParameterizedTest
  @ValueSource(strings = {GITHUB, OLD})
  void index_byAnnotations_takesOneRequest(String prefix) throws Exception {
    byte[] blob = blob(true);
    FlakySource source = new FlakySource(blob, 0);
    LayerFormat.Layer layer = TocLayers.layer(ZSTD, blob, pinned(prefix));
    Recognition recognition = new ZstdChunkedFormat(source).recognise(layer, IndexTrust.PINNED);
    assertThat(recognition)
        .isInstanceOfSatisfying(
            Recognition.Tree.class,
            tree ->
                assertThat(tree.origin())
                    .isEqualTo(
                        new IndexOrigin(
                            Binding.IMAGE,
                            "TOC in the layer",
                            ENCODED.length,
                            Digest.sha256(ENCODED))));
    assertThat(source.asked).isEmpty();
    index(source, layer, IndexTrust.PINNED);
    assertThat(source.asked).containsExactly("100+" + ENCODED.length);
  }

  @Test
  void index_byTheDigestAlone_looksForTheFooter() throws Exception {
    byte[] blob = blob(false);
    FlakySource source = new FlakySource(blob, 0);
    Map<String, String> annotations =
        Map.of(
            "containerd.io/snapshot/stargz/toc.digest",
            Digest.sha256(TOC.getBytes(UTF_8)).toString());
    index(source, TocLayers.layer(ZSTD, blob, annotations), IndexTrust.PINNED);
    assertThat(source.asked).containsExactly("0+" + blob.length);
  }

  @ParameterizedTest
  @CsvSource({
    "application/vnd.oci.image.layer.v1.tar+zstd, Tree",
    "application/vnd.docker.image.rootfs.diff.tar.zstd, Tree",
    "application/vnd.oci.image.layer.v1.tar+gzip, Foreign",
    "application/vnd.oci.image.layer.v1.tar, Foreign"
  })
  void recognise_goesByTheMediaType(String mediaType, String expected) throws Exception {
    LayerFormat.Layer layer = TocLayers.layer(mediaType, blob(true), pinned(GITHUB));
    assertThat(
            new ZstdChunkedFormat(new FlakySource(new byte[0], 0))
                .recognise(layer, IndexTrust.PINNED)
                .getClass()
                .getSimpleName())
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "manifest-checksum, x, manifest-checksum: digest",
    "manifest-position, x, four numbers expected",
    "manifest-position, 100:10:10737418240:1, ''",
    "manifest-position, 100:10737418240:50:1, TOC of 10737418240 bytes at 100",
    "manifest-position, 100:10:50:2, TOC of type 2"
  })
  void recognise_annotationsThatCannotBe_areRefusedAndNobodyIsAsked(
      String name, String value, String reason) throws Exception {
    Map<String, String> annotations = pinned(GITHUB);
    annotations.put(GITHUB + name, value);
    FlakySource source = new FlakySource(blob(true), 0);
    LayerFormat.Layer layer = TocLayers.layer(ZSTD, blob(true), annotations);
    Recognition recognition = new ZstdChunkedFormat(source).recognise(layer, IndexTrust.PINNED);
    if (reason.isEmpty()) {
      assertThatThrownBy(() -> index(source, layer, IndexTrust.PINNED))
          .isInstanceOf(CorruptException.class);
    } else {
      assertThat(recognition)
          .isInstanceOfSatisfying(
              Recognition.Refused.class, refused -> assertThat(refused.reason()).contains(reason));
      assertThat(source.asked).isEmpty();
    }
  }

  @Test
  void recognise_withoutAnnotationsOrTrust_asksNobody() throws Exception {
    FlakySource source = new FlakySource(blob(true), 0);
    ZstdChunkedFormat format = new ZstdChunkedFormat(source);
    assertThat(format.recognise(TocLayers.layer(ZSTD, blob(true), Map.of()), IndexTrust.PINNED))
        .isEqualTo(new Recognition.Foreign());
    Map<String, String> unpinned = pinned(OLD);
    unpinned.remove(OLD + "manifest-checksum");
    assertThat(format.recognise(TocLayers.layer(ZSTD, blob(true), unpinned), IndexTrust.PINNED))
        .isInstanceOf(Recognition.Refused.class);
    assertThat(source.asked).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void recognise_withTrust_findsFooters(boolean podman) throws Exception {
    byte[] blob = blob(podman);
    FlakySource source = new FlakySource(blob, 0);
    LayerFormat.Layer layer = TocLayers.layer(ZSTD, blob, Map.of());
    assertThat(new ZstdChunkedFormat(source).recognise(layer, ALL))
        .isInstanceOfSatisfying(
            Recognition.Tree.class,
            tree ->
                assertThat(tree.origin())
                    .extracting(IndexOrigin::binding, IndexOrigin::index)
                    .containsExactly(Binding.NOTHING, Digest.sha256(ENCODED)));
    index(source, layer, ALL);
    byte[] ordinary = new byte[1000];
    FlakySource other = new FlakySource(ordinary, 0);
    assertThat(
            new ZstdChunkedFormat(other).recognise(TocLayers.layer(ZSTD, ordinary, Map.of()), ALL))
        .isEqualTo(new Recognition.Foreign());
    assertThat(other.asked).containsExactly("936+64");
  }

  @Test
  void index_wrongBytes_areFetchedOnceMoreAndThenRefused() throws Exception {
    byte[] blob = blob(true);
    LayerFormat.Layer layer = TocLayers.layer(ZSTD, blob, pinned(GITHUB));
    FlakySource twice = new FlakySource(blob, 2);
    assertThatThrownBy(() -> index(twice, layer, IndexTrust.PINNED))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("digest of the encoded TOC: found")
        .hasMessageContaining("expected " + Digest.sha256(ENCODED));
    assertThat(twice.rejected).containsExactly(100L, 100L);
    FlakySource once = new FlakySource(blob, 1);
    assertThat(index(once, layer, IndexTrust.PINNED).devices()).isEmpty();
    assertThat(once.asked).hasSize(2);
  }

  /** More TOCs hang than there are shares of the room, and each claims to be large. */
  @Test
  @Timeout(60)
  void index_registryThatHangs_keepsNoOtherWaiting() throws Exception {
    CountDownLatch asked = new CountDownLatch(20);
    CountDownLatch answer = new CountDownLatch(1);
    RangeSource hangs =
        new BlobSource(blob -> {
          asked.countDown();
          try {
            answer.await();
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
          return new byte[0];
        });
    byte[] blob = blob(true);
    Map<String, String> large = pinned(GITHUB);
    large.put(GITHUB + "manifest-position", "100:%d:300000000:1".formatted(ENCODED.length));
    LayerFormat.Layer layer = TocLayers.layer(ZSTD, blob, large);
    List<Thread> threads = new ArrayList<>();
    AtomicInteger failed = new AtomicInteger();
    while (threads.size() < asked.getCount()) {
      if (new ZstdChunkedFormat(hangs).recognise(layer, IndexTrust.PINNED)
          instanceof Recognition.Tree(var indexer, var _)) {
        threads.add(
            Thread.ofPlatform()
                .unstarted(() -> {
                  try {
                    indexer.index(directory.resolve("never"), new PlainDevices(directory, hangs));
                  } catch (IOException | InterruptedException e) {
                    failed.incrementAndGet();
                  }
                }));
      }
    }
    threads.forEach(Thread::start);
    asked.await();
    LayerFormat.Layer other = TocLayers.layer(ZSTD, blob, pinned(GITHUB));
    assertThat(index(new FlakySource(blob, 0), other, IndexTrust.PINNED).devices()).isEmpty();
    answer.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failed).hasValue(threads.size());
  }

  @Test
  void index_tocThatDecodesToMoreThanItSays_endsThere() {
    byte[] bomb = Zstd.compress(new byte[64 << 20]);
    ManifestPosition position = new ManifestPosition(8, bomb.length, 100, 1);
    byte[] blob =
        TocLayers.concat(
            new byte[8], bomb, new byte[8], ManifestPositionTest.footer(position, true));
    assertThatThrownBy(
            () -> index(new FlakySource(blob, 0), TocLayers.layer(ZSTD, blob, Map.of()), ALL))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("TOC: JSON");
  }
}
