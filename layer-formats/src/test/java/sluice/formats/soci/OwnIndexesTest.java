package sluice.formats.soci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;

/** What is kept of layers that were streamed. */
class OwnIndexesTest {

  private static final Digest DIFF_ID = Digest.sha256(new byte[] {1});
  private static final String TYPE = "application/octet-stream";

  private final AtomicLong seconds = new AtomicLong(1_000);

  @TempDir Path directory;

  @Test
  void find_afterAnotherStart_givesWhatWasPublished() throws IOException {
    OwnIndex index = publish(open(1 << 20), layer(0), 500);
    OwnIndexes again = open(1 << 20);
    assertThat(again.find(layer(0), DIFF_ID)).contains(index);
    try (InputStream in = again.open(index)) {
      assertThat(Digest.sha256(in.readAllBytes()))
          .isEqualTo(Objects.requireNonNull(index.ztoc()).digest());
    }
    assertThat(again.ztoc(index).byteSize()).isEqualTo(500);
  }

  @Test
  void find_anotherDiffId_isNotThere() throws IOException {
    OwnIndexes indexes = open(1 << 20);
    OwnIndex index = publish(indexes, layer(0), 500);
    assertThat(indexes.find(layer(0), Digest.sha256(new byte[] {2}))).isEmpty();
    assertThat(indexes.find(layer(0), DIFF_ID)).contains(index);
  }

  @Test
  void find_bytesThatChanged_areRemoved() throws IOException {
    OwnIndexes indexes = open(1 << 20);
    publish(indexes, layer(0), 500);
    Path file = file(layer(0));
    for (int at : new int[] {0, 20, 100, 200, OwnIndex.HEADER_BYTES + 499}) {
      publish(indexes, layer(0), 500);
      byte[] bytes = Files.readAllBytes(file);
      bytes[at] ^= 1;
      Files.write(file, bytes);
      assertThat(indexes.find(layer(0), DIFF_ID)).as("byte %d", at).isEmpty();
    }
    assertThat(file).doesNotExist();
  }

  @Test
  void find_again_verifiesOnlyWhatChanged() throws IOException {
    OwnIndexes indexes = open(1 << 20);
    OwnIndex index = publish(indexes, layer(0), 500);
    VerifiedFiles verified = new VerifiedFiles();
    assertThat(isVerified(verified)).isFalse();
    assertThat(isVerified(verified)).isTrue();
    assertThat(indexes.find(layer(0), DIFF_ID)).contains(index);
    assertThat(isVerified(verified)).as("its times have changed").isFalse();

    byte[] bytes = Files.readAllBytes(file(layer(0)));
    bytes[OwnIndex.HEADER_BYTES + 77] ^= 1;
    Files.write(file(layer(0)), bytes);
    assertThat(indexes.find(layer(0), DIFF_ID)).as("written to after it was verified").isEmpty();

    publish(indexes, layer(0), 500);
    assertThat(indexes.find(layer(0), DIFF_ID)).contains(index);
    bytes[OwnIndex.HEADER_BYTES + 77] ^= 3;
    Path other = Files.write(directory.resolve(OwnIndexes.UNFINISHED), bytes);
    Files.setLastModifiedTime(other, Files.getLastModifiedTime(file(layer(0))));
    Files.move(other, file(layer(0)), StandardCopyOption.REPLACE_EXISTING);
    assertThat(indexes.find(layer(0), DIFF_ID)).as("another file of the same time").isEmpty();
  }

  private boolean isVerified(VerifiedFiles files) throws IOException {
    try (VerifiedFiles.Opened opened = files.open(file(layer(0)))) {
      opened.verified(() -> {});
      return opened.isVerified();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 10, 200, OwnIndex.HEADER_BYTES - 1, OwnIndex.HEADER_BYTES + 499})
  void find_fileThatIsCutOff_isRemoved(int length) throws IOException {
    OwnIndexes indexes = open(1 << 20);
    publish(indexes, layer(0), 500);
    Path file = file(layer(0));
    Files.write(file, Arrays.copyOf(Files.readAllBytes(file), length));
    assertThat(indexes.find(layer(0), DIFF_ID)).isEmpty();
    assertThat(file).doesNotExist();
  }

  @Test
  void find_fileOfAnotherLayer_isRemoved() throws IOException {
    OwnIndexes indexes = open(1 << 20);
    publish(indexes, layer(0), 500);
    Files.move(file(layer(0)), file(layer(1)));
    assertThat(indexes.find(layer(1), DIFF_ID)).isEmpty();
    assertThat(file(layer(1))).doesNotExist();
  }

  @Test
  void publish_moreThanThereMayBe_removesWhatWasNotUsedForTheLongestTime() throws IOException {
    long each = OwnIndex.HEADER_BYTES + 500;
    OwnIndexes indexes = open(3 * each);
    for (int i = 0; i < 3; i++) {
      publish(indexes, layer(i), 500);
    }
    assertThat(indexes.find(layer(0), DIFF_ID)).isPresent();
    publish(indexes, layer(3), 500);
    assertThat(indexes.has(layer(0))).isTrue();
    assertThat(indexes.has(layer(1))).isFalse();
    assertThat(indexes.has(layer(2))).isTrue();
    assertThat(indexes.has(layer(3))).isTrue();
  }

  @Test
  void open_whatACrashLeft_isRemoved() throws IOException {
    OwnIndexes indexes = open(1 << 20);
    Files.write(indexes.begin(), new byte[10]);
    publish(indexes, layer(0), 500);
    open(1 << 20);
    try (var files = Files.list(directory)) {
      assertThat(files).containsExactly(file(layer(0)));
    }
  }

  @Test
  void read_reasonWithAnyCharacters_isOneLine() throws IOException {
    OwnIndex none = OwnIndex.none(layer(0), DIFF_ID, "a\nb\u0000ü" + "x".repeat(1000));
    OwnIndex read = OwnIndex.read(none.header().array(), OwnIndex.HEADER_BYTES, "test");
    assertThat(read).isEqualTo(none);
    assertThat(read.reason()).startsWith("a?b??xxx").hasSize(400);
  }

  @Test
  void read_anyBytes_isAHeaderOrCorrupt() {
    Random random = new Random(7);
    byte[] good =
        OwnIndex.of(layer(0), DIFF_ID, new Descriptor(TYPE, layer(2), 500)).header().array();
    for (int i = 0; i < 2000; i++) {
      byte[] bad = good.clone();
      bad[random.nextInt(300)] = (byte) random.nextInt(256);
      try {
        OwnIndex.read(bad, OwnIndex.HEADER_BYTES + 500, "test");
      } catch (IOException e) {
        assertThat(e).isInstanceOf(CorruptException.class);
      }
    }
    assertThatThrownBy(() -> OwnIndex.read(good, OwnIndex.HEADER_BYTES + 501, "test"))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("another length than 1525");
  }

  private OwnIndexes open(long maxBytes) throws IOException {
    return OwnIndexes.open(directory, maxBytes, () -> Instant.ofEpochSecond(seconds.addAndGet(1)));
  }

  private static OwnIndex publish(OwnIndexes indexes, Digest layer, int length) throws IOException {
    byte[] ztoc = new byte[length];
    new Random(length).nextBytes(ztoc);
    OwnIndex index = OwnIndex.of(layer, DIFF_ID, new Descriptor(TYPE, Digest.sha256(ztoc), length));
    Path name = indexes.begin();
    try (FileChannel out = FileChannel.open(name, StandardOpenOption.WRITE)) {
      out.write(ByteBuffer.wrap(ztoc), OwnIndex.HEADER_BYTES);
      indexes.publish(index, name, out);
    }
    return index;
  }

  private Path file(Digest layer) {
    return directory.resolve("sha256-" + layer.hex());
  }

  private static Digest layer(int number) {
    return Digest.sha256(new byte[] {(byte) number, 9});
  }
}
