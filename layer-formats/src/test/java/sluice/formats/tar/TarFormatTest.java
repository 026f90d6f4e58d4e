package sluice.formats.tar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.IndexTrust;
import sluice.core.Lane;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.LayerIndex;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.formats.tar.TarBuilder.Header;
import sluice.formats.testing.BlobSource;
import sluice.formats.testing.PlainDevices;
import sluice.formats.testing.SpoiledOnce;

/**
 * Layers as a whole: what is recognised, what is verified, and that nothing stays after a failure.
 */
@Timeout(60)
class TarFormatTest {

  private static final byte[] TAR = tar();

  @TempDir Path directory;

  @AfterEach
  void noThreadStays() {
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.isAlive() && thread.getName().startsWith("unpack layer"));
  }

  @ParameterizedTest
  @CsvSource({
    "application/vnd.oci.image.layer.v1.tar, Tree",
    "application/vnd.oci.image.layer.v1.tar+gzip, Tree",
    "application/vnd.oci.image.layer.v1.tar+zstd, Tree",
    "application/vnd.oci.image.layer.nondistributable.v1.tar, Tree",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip, Tree",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd, Tree",
    "application/vnd.docker.image.rootfs.diff.tar, Tree",
    "application/vnd.docker.image.rootfs.diff.tar.gzip, Tree",
    "application/vnd.docker.image.rootfs.diff.tar.zstd, Tree",
    "application/vnd.docker.image.rootfs.foreign.diff.tar, Tree",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip, Tree",
    "application/vnd.oci.image.layer.v1.tar+gzip+encrypted, Refused",
    "application/vnd.oci.image.layer.v1.tar+bzip2, Refused",
    "application/vnd.oci.image.layer.nydus.blob.v1, Foreign",
    "application/vnd.in-toto+json, Foreign"
  })
  void recognise_goesByTheMediaType(String mediaType, String expected) throws Exception {
    LayerFormat format = new TarFormat(new BlobSource(blob -> TAR));
    Recognition recognition =
        format.recognise(Layers.layer(mediaType, TAR, Digest.sha256(TAR)), IndexTrust.PINNED);
    assertThat(recognition.getClass().getSimpleName()).isEqualTo(expected);
    if (recognition instanceof Recognition.Tree(var indexer, var _)) {
      assertThat(indexer.streams()).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "tar, gzip, true",
    "tar+gzip, none, true",
    "tar+gzip, zstd, true",
    "tar+zstd, zstd, true",
    "tar, none, false"
  })
  void index_compressionIsWhatTheFirstBytesSay(String type, String really, boolean detected)
      throws Exception {
    byte[] blob =
        switch (really) {
          case "gzip" -> gzip(TAR);
          case "zstd" -> Zstd.compress(TAR);
          default -> TAR;
        };
    String prefix =
        type.equals("tar") && detected
            ? "application/vnd.docker.image.rootfs.diff."
            : "application/vnd.oci.image.layer.v1.";
    LayerIndex index = index(blob, Layers.layer(prefix + type, blob, Digest.sha256(TAR)));
    assertThat(index.devices()).hasSize(1);
  }

  @Test
  void index_compressedLayerThatSaysItIsPlain_isRefusedAsTheTarItIsNot() throws IOException {
    byte[] blob = gzip(TAR);
    assertThatThrownBy(() -> index(blob, Layers.layer(Layers.TAR, blob, Digest.sha256(TAR))))
        .isInstanceOf(CorruptException.class)
        .hasMessageStartingWith("tar: header");
    assertNothingKept();
  }

  @Test
  void index_emptyBlob_isAnEmptyLayer() throws Exception {
    byte[] blob = new byte[0];
    LayerIndex index = index(blob, Layers.layer(Layers.GZIP, blob, Digest.sha256(blob)));
    assertThat(index.devices()).isEmpty();
    assertThat(index.metadataImage()).exists();
  }

  @Test
  void index_sha512Names_areVerified() throws Exception {
    byte[] blob = gzip(TAR);
    Descriptor descriptor = new Descriptor(Layers.GZIP, sha512(blob), blob.length);
    assertThat(index(blob, Layers.layer(descriptor, sha512(TAR))).devices()).hasSize(1);
  }

  @Test
  void index_otherDiffId_isRefusedAndNothingKept() throws IOException {
    byte[] blob = gzip(TAR);
    Digest claimed = Digest.sha256(new byte[1]);
    assertThatThrownBy(() -> index(blob, Layers.layer(Layers.GZIP, blob, claimed)))
        .isInstanceOf(CorruptException.class)
        .hasMessage(
            "diff-id: found %s, expected %s (resource=layer %s)"
                .formatted(Digest.sha256(TAR), claimed, Digest.sha256(blob)));
    assertNothingKept();
  }

  @Test
  void index_otherBytesOfTheSameTar_areRefused() throws IOException {
    byte[] blob = gzip(TAR);
    byte[] other = blob.clone();
    other[4] ^= 1; // MTIME of the gzip header, which nothing else covers
    assertThatThrownBy(() -> index(other, Layers.layer(Layers.GZIP, blob, Digest.sha256(TAR))))
        .isInstanceOf(CorruptException.class)
        .hasMessageStartingWith("layer digest: found " + Digest.sha256(other));
    assertNothingKept();
  }

  @Test
  void index_firstHolderGivesAWrongByte_asksTheOther() throws Exception {
    byte[] blob = gzip(TAR);
    SpoiledOnce source = new SpoiledOnce(new BlobSource(digest -> blob));
    LayerFormat.Layer layer = Layers.layer(Layers.GZIP, blob, Digest.sha256(TAR));
    assertThat(index(source, layer).devices()).hasSize(1);
    assertThat(source.rejected()).containsExactly(Digest.sha256(blob));
  }

  /** It is what the registry has to give: nobody is asked again, or is to blame. */
  @Test
  void index_layerThatIsNoTar_isFetchedOnce() throws Exception {
    byte[] noTar = new byte[3_000_000];
    new Random(1).nextBytes(noTar);
    byte[] blob = gzip(noTar);
    AtomicInteger fetched = new AtomicInteger();
    BlobSource source =
        new BlobSource(digest -> {
          fetched.incrementAndGet();
          return blob;
        });
    assertThatThrownBy(() -> index(source, Layers.layer(Layers.GZIP, blob, Digest.sha256(noTar))))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("header");
    assertThat(fetched).hasValue(1);
    assertThat(source.openStreams()).isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void index_flippedBits_areRefusedAndNothingKept(long seed) throws IOException {
    byte[] blob = gzip(TAR);
    Random random = new Random(seed);
    for (int i = 0; i < 40; i++) {
      byte[] flipped = blob.clone();
      flipped[random.nextInt(blob.length)] ^= (byte) (1 << random.nextInt(8));
      assertThatThrownBy(() -> index(flipped, Layers.layer(Layers.GZIP, blob, Digest.sha256(TAR))))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("resource=layer " + Digest.sha256(blob));
      assertNothingKept();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {Layers.GZIP, Layers.TAR})
  void index_truncatedAnywhere_isRefusedAndNothingKept(String mediaType) throws IOException {
    byte[] blob = mediaType.equals(Layers.TAR) ? TAR : gzip(TAR);
    for (int length = 0; length < blob.length; length += Math.max(1, blob.length / 60)) {
      byte[] cut = Arrays.copyOf(blob, length);
      String expected =
          "ends after %d bytes, its descriptor says %d".formatted(length, blob.length);
      assertThatThrownBy(() -> index(cut, Layers.layer(mediaType, blob, Digest.sha256(TAR))))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining(expected);
      assertNothingKept();
    }
  }

  @Test
  void index_longerThanItsDescriptor_isRefused() {
    byte[] longer = Arrays.copyOf(TAR, TAR.length + 512);
    assertThatThrownBy(() -> index(longer, Layers.layer(Layers.TAR, TAR, Digest.sha256(TAR))))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("its descriptor says " + TAR.length);
  }

  @Test
  void index_bombOfZeros_takesNoRoom() throws Exception {
    long bytes = 256L << 20;
    ByteArrayOutputStream encoded = new ByteArrayOutputStream();
    var hash = Digest.sha256();
    try (GZIPOutputStream gzip = new GZIPOutputStream(encoded)) {
      byte[] header = new Header("zeros", '0').size(bytes).bytes();
      gzip.write(header);
      hash.update(header);
      byte[] zeros = new byte[1 << 20];
      for (long done = 0; done < bytes; done += zeros.length) {
        gzip.write(zeros);
        hash.update(zeros);
      }
    }
    byte[] blob = encoded.toByteArray();
    Digest diffId = Digest.of(Digest.Algorithm.SHA256, hash.digest());
    assertThat(index(blob, Layers.layer(Layers.GZIP, blob, diffId)).devices()).isEmpty();
  }

  @Test
  void index_fetchFails_isToldAsItIs() {
    FetchException failure =
        new FetchException("no such blob", FetchException.Reason.NOT_FOUND, 404, null);
    BlobSource source =
        new BlobSource(blob -> {
          throw failure;
        });
    LayerFormat.Layer layer = Layers.layer(Layers.TAR, TAR, Digest.sha256(TAR));
    assertThatThrownBy(() -> index(source, layer)).isSameAs(failure);
    assertNothingKept();
  }

  @Test
  void index_storeFails_isToldAsItIs() {
    IOException full = new IOException("no space left");
    PlainDevices failing = new PlainDevices(directory).failingWrites(full);
    BlobSource source = new BlobSource(blob -> TAR);
    LayerFormat.Layer layer = Layers.layer(Layers.TAR, TAR, Digest.sha256(TAR));
    assertThatThrownBy(() -> Layers.index(source, layer, directory.resolve("image"), failing))
        .isSameAs(full);
    assertThat(source.openStreams()).isZero();
    assertNothingKept();
  }

  @Test
  void index_interrupted_stopsAtOnce() throws Exception {
    CountDownLatch reading = new CountDownLatch(1);
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    LayerFormat.Layer layer = Layers.layer(Layers.TAR, TAR, Digest.sha256(TAR));
    Thread caller =
        Thread.ofVirtual()
            .start(() -> {
              try {
                index(new HangingSource(reading), layer);
              } catch (Exception e) {
                thrown.set(e);
              }
            });
    reading.await();
    caller.interrupt();
    caller.join();
    assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
    assertNothingKept();
  }

  private LayerIndex index(byte[] blob, LayerFormat.Layer layer) throws Exception {
    BlobSource source = new BlobSource(digest -> blob);
    try {
      return index(source, layer);
    } finally {
      assertThat(source.openStreams()).isZero();
    }
  }

  private LayerIndex index(RangeSource source, LayerFormat.Layer layer) throws Exception {
    return new Layers(directory).index(source, layer, directory.resolve("image"));
  }

  private void assertNothingKept() {
    assertThat(directory).isEmptyDirectory();
  }

  private static byte[] tar() {
    byte[] noise = new byte[300_000];
    new Random(1).nextBytes(noise);
    return new TarBuilder()
        .directory("d")
        .entry(new Header("d/noise", '0'), noise)
        .file("d/text", "text ".repeat(1000))
        .pax('x', "SCHILY.xattr.user.a=b", "mtime=1.5")
        .file("d/small", "x")
        .build();
  }

  private static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream encoded = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(encoded)) {
      gzip.write(content);
    }
    return encoded.toByteArray();
  }

  private static Digest sha512(byte[] content) {
    return Digest.of(
        Digest.Algorithm.SHA512, Digest.hasher(Digest.Algorithm.SHA512).digest(content));
  }

  /** Gives half of the layer, and then nothing, as a registry that hangs. */
  private record HangingSource(CountDownLatch reading) implements RangeSource {
    @Override
    public void read(
        Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane) {
      throw new AssertionError("an ordinary layer is streamed");
    }

    @Override
    public InputStream open(Digest blob, Set<Repository> holders, Lane lane) {
      InputStream half = new ByteArrayInputStream(TAR, 0, TAR.length / 2);
      return new FilterInputStream(half) {
        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
          int read = super.read(into, offset, length);
          if (read >= 0) {
            return read;
          }
          reading.countDown();
          try {
            new CountDownLatch(1).await();
            return -1;
          } catch (InterruptedException e) {
            throw new InterruptedIOException("interrupted");
          }
        }
      };
    }
  }
}
