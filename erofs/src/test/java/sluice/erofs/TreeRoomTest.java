package sluice.erofs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import sluice.core.CorruptException;
import sluice.core.UnservedException;
import sluice.erofs.TreeRoom.Turn;

@Timeout(60)
class TreeRoomTest {

  private static final long SMALL_STREAM = TreeRoom.SMALL_STREAM_MEBIBYTES * TreeRoom.MEBIBYTE;
  private static final long LARGEST_STREAM = SMALL_STREAM + TreeRoom.LARGE_STREAM_BYTES;
  private static final int SMALL_STREAMS =
      TreeRoom.SMALL_STREAMS_MEBIBYTES / TreeRoom.SMALL_STREAM_MEBIBYTES;

  private final TreeRoom room = new TreeRoom(Duration.ofMinutes(10));

  /** Something that waits, in a thread of its own. */
  private record Waiting(FutureTask<TreeShare> task, Thread thread) {

    static Waiting of(Callable<TreeShare> share) {
      FutureTask<TreeShare> task = new FutureTask<>(share);
      Waiting waiting = new Waiting(task, Thread.ofPlatform().start(task));
      while (waiting.thread.getState() != Thread.State.WAITING
          && waiting.thread.getState() != Thread.State.TIMED_WAITING) {
        assertThat(waiting.thread.getState()).isNotEqualTo(Thread.State.TERMINATED);
        Thread.onSpinWait();
      }
      return waiting;
    }
  }

  private TreeShare table(long bytes) throws IOException, InterruptedException {
    return grown(room.table("TOC of layer x"), bytes);
  }

  private TreeShare stream(String layer, long bytes) throws IOException {
    return grown(room.stream(Turn.KEEPS, "layer " + layer), bytes);
  }

  private static TreeShare grown(TreeShare share, long bytes) throws IOException {
    try {
      share.grow(bytes);
      return share;
    } catch (IOException e) {
      share.close();
      throw e;
    }
  }

  @Test
  void table_overTheLimit_isRefused() throws Exception {
    TreeShare share = table(TreeRoom.TABLE_BYTES);
    assertThatThrownBy(() -> share.grow(1))
        .isInstanceOf(CorruptException.class)
        .hasMessage(
            "tree: takes 520093697 bytes of the heap, at most 520093696 (resource=TOC of layer x)");
    share.close();
    assertThat(room.isFree()).isTrue();
  }

  @Test
  void table_smallOnes_areAsManyAsThereAreShares() throws Exception {
    List<TreeShare> shares = new ArrayList<>();
    for (int i = 0; i < TreeRoom.TABLES; i++) {
      shares.add(table(TreeRoom.SMALL_BYTES));
    }
    Waiting another = Waiting.of(() -> table(1));
    shares.removeFirst().close();
    shares.add(another.task.get());
    shares.forEach(TreeShare::close);
    assertThat(room.isFree()).isTrue();
  }

  @Test
  void table_largeOnes_waitForEachOtherAndKeepNoSmallOneWaiting() throws Exception {
    TreeShare first = table(TreeRoom.SMALL_BYTES + 1);
    Waiting second = Waiting.of(() -> table(TreeRoom.TABLE_BYTES));
    table(TreeRoom.SMALL_BYTES).close();
    first.grow(TreeRoom.SMALL_BYTES);
    first.close();
    second.task.get().close();
    assertThat(room.isFree()).isTrue();
  }

  @Test
  void table_interruptedWhileItWaits_givesBackWhatItHas() throws Exception {
    TreeShare first = table(TreeRoom.TABLE_BYTES);
    Waiting second = Waiting.of(() -> table(TreeRoom.SMALL_BYTES + 1));
    second.thread.interrupt();
    assertThatThrownBy(second.task::get)
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(InterruptedIOException.class);
    first.close();
    assertThat(room.isFree()).isTrue();
  }

  @Test
  void stream_smallOnes_waitForNobody() throws Exception {
    TreeShare large = stream("x", LARGEST_STREAM);
    List<TreeShare> shares = new ArrayList<>();
    for (int i = 1; i < SMALL_STREAMS; i++) {
      shares.add(stream("y", SMALL_STREAM));
    }
    shares.add(table(TreeRoom.TABLE_BYTES));
    shares.forEach(TreeShare::close);
    large.close();
    assertThat(room.isFree()).isTrue();
  }

  @Test
  void stream_largeOnes_waitForEachOther() throws Exception {
    TreeShare first = stream("x", SMALL_STREAM + 1);
    Waiting second = Waiting.of(() -> stream("y", LARGEST_STREAM));
    first.grow(LARGEST_STREAM - SMALL_STREAM - 1);
    first.close();
    second.task.get().close();
    assertThat(room.isFree()).isTrue();
  }

  @Test
  void stream_overTheLimit_isRefusedAndNotAsCorrupt() throws Exception {
    TreeShare share = stream("x", LARGEST_STREAM);
    assertThatThrownBy(() -> share.grow(1))
        .isInstanceOf(UnservedException.class)
        .hasMessage(
            "tree: takes 184549377 bytes of the heap, at most 184549376 of a layer that streams (resource=layer x)");
    share.close();
    assertThat(room.isFree()).isTrue();
  }

  @Test
  void stream_thatWaitsForTooLong_isRefusedAndNotAsCorrupt() throws Exception {
    TreeRoom impatient = new TreeRoom(Duration.ofMillis(20));
    TreeShare first = impatient.stream(Turn.KEEPS, "layer x");
    first.grow(SMALL_STREAM + 1);
    TreeShare second = impatient.stream(Turn.KEEPS, "layer y");
    assertThatThrownBy(() -> second.grow(SMALL_STREAM + 1))
        .isInstanceOf(UnservedException.class)
        .hasMessageContaining(
            "other layers that stream left it no more for 0 seconds (resource=layer y)");
    second.close();
    first.close();
    assertThat(impatient.isFree()).isTrue();
  }

  @Test
  void stream_twoWaitAlready_isRefusedAtOnce() throws Exception {
    TreeShare first = stream("x", SMALL_STREAM + 1);
    Waiting second = Waiting.of(() -> stream("y", SMALL_STREAM + 1));
    Waiting third = Waiting.of(() -> stream("z", SMALL_STREAM + 1));
    assertThatThrownBy(() -> stream("late", SMALL_STREAM + 1))
        .isInstanceOf(UnservedException.class)
        .hasMessageContaining("wait for more already (resource=layer late)");
    first.close();
    second.task.get().close();
    third.task.get().close();
    assertThat(room.isFree()).isTrue();
  }

  @Test
  void stream_thatYields_failsWhenAnotherWaits() throws Exception {
    TreeShare check = room.stream(Turn.YIELDS, "layer x");
    check.grow(SMALL_STREAM + 1);
    check.grow(1);
    Waiting pull = Waiting.of(() -> stream("y", SMALL_STREAM + 1));
    assertThatThrownBy(() -> check.grow(1))
        .isInstanceOf(UnservedException.class)
        .hasMessageContaining("would now have the room that it has (resource=layer x)");
    check.close();
    pull.task.get().close();
    assertThat(room.isFree()).isTrue();
  }

  @Test
  void stream_interruptedWhileItWaits_givesBackWhatItHas() throws Exception {
    TreeShare first = stream("x", LARGEST_STREAM);
    Waiting second = Waiting.of(() -> stream("y", SMALL_STREAM + 1));
    second.thread.interrupt();
    assertThatThrownBy(second.task::get)
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(InterruptedIOException.class);
    first.close();
    assertThat(room.isFree()).isTrue();
  }

  /** A node may be told to have more streams than have a small share each. */
  @Test
  void stream_moreThanThereAreSmallShares_waits() throws Exception {
    List<TreeShare> shares = new ArrayList<>();
    for (int i = 0; i < SMALL_STREAMS; i++) {
      shares.add(stream("x", SMALL_STREAM));
    }
    TreeShare large = stream("y", TreeRoom.LARGE_STREAM_BYTES);
    assertThatThrownBy(() -> large.grow(1)).isInstanceOf(UnservedException.class);
    Waiting another = Waiting.of(() -> stream("z", 1));
    large.close();
    another.task.get().close();
    shares.forEach(TreeShare::close);
    assertThat(room.isFree()).isTrue();
  }
}
