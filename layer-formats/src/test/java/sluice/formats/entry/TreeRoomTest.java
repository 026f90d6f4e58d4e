package sluice.formats.entry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import sluice.core.CorruptException;

@Timeout(60)
class TreeRoomTest {

  private final TreeRoom room = new TreeRoom();

  /** Something that waits, in a thread of its own. */
  private record Waiting(FutureTask<TreeShare> task, Thread thread) {

    static Waiting of(Callable<TreeShare> share) {
      FutureTask<TreeShare> task = new FutureTask<>(share);
      Waiting waiting = new Waiting(task, Thread.ofPlatform().start(task));
      while (waiting.thread.getState() != Thread.State.WAITING) {
        assertThat(waiting.thread.getState()).isNotEqualTo(Thread.State.TERMINATED);
        Thread.onSpinWait();
      }
      return waiting;
    }
  }

  private TreeShare table(long bytes) throws IOException, InterruptedException {
    TreeShare share = room.table("TOC of layer x");
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
  void stream_waitsForNobodyAndNoTableForIt() throws Exception {
    TreeShare large = room.stream("layer x");
    large.grow(TreeRoom.STREAMS_BYTES);
    TreeShare other = room.stream("layer y");
    other.grow(TreeRoom.SMALL_BYTES);
    table(TreeRoom.TABLE_BYTES).close();
    TreeShare third = room.stream("layer z");
    assertThatThrownBy(() -> third.grow(TreeRoom.STREAMS_BYTES))
        .isNotInstanceOf(CorruptException.class)
        .hasMessageContaining("other layers that stream now")
        .hasMessageEndingWith("(resource=layer z)");
    third.close();
    large.close();
    other.grow(TreeRoom.STREAMS_BYTES - TreeRoom.SMALL_BYTES);
    assertThatThrownBy(() -> other.grow(1))
        .isNotInstanceOf(CorruptException.class)
        .hasMessageContaining("at most 201326592 of a layer that streams (resource=layer y)");
    other.close();
    assertThat(room.isFree()).isTrue();
  }
}
