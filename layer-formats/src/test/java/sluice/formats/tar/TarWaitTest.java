package sluice.formats.tar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Digest;
import sluice.core.LayerIndex;
import sluice.erofs.TreeRoom;
import sluice.erofs.TreeShare;
import sluice.formats.tar.TarBuilder.Header;
import sluice.formats.testing.BlobSource;

/** A layer that streams and is large waits while another one is. */
@Timeout(60)
class TarWaitTest {

  private static final int SMALL_BYTES = 16 << 20;

  @TempDir Path directory;

  private TreeShare other;
  private FutureTask<LayerIndex> index;
  private Thread thread;

  @BeforeEach
  void beginWhileAnotherIsLarge() throws Exception {
    other = TreeRoom.ofProcess().stream(TreeRoom.Turn.KEEPS, "another layer");
    other.grow(SMALL_BYTES + 1);
    byte[] tar = directories(50_000);
    index =
        new FutureTask<>(() ->
            new Layers(directory)
                .index(
                    new BlobSource(blob -> tar),
                    Layers.layer(Layers.TAR, tar, Digest.sha256(tar)),
                    directory.resolve("layer")));
    thread = Thread.ofPlatform().start(index);
    // All that the pipe takes was read, and nobody takes more.
    while (!thread.join(Duration.ofMillis(200)) && thread.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    assertThat(index.isDone()).isFalse();
  }

  @Test
  void index_whenTheOtherHasEnded_goesOn() throws Exception {
    other.close();
    assertThat(index.get().metadataImage()).isNotEmptyFile();
  }

  @Test
  void index_interruptedWhileItWaits_ends() throws Exception {
    thread.interrupt();
    assertThatThrownBy(index::get)
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(InterruptedException.class);
    other.close();
    assertThat(directory).isEmptyDirectory();
  }

  private static byte[] directories(int count) {
    byte[] tar = new byte[(count + 2) * TarLimits.BLOCK_BYTES];
    for (int i = 0; i < count; i++) {
      byte[] header = new Header("%05d".formatted(i), '5').mode(0755).bytes();
      System.arraycopy(header, 0, tar, i * TarLimits.BLOCK_BYTES, header.length);
    }
    return tar;
  }
}
