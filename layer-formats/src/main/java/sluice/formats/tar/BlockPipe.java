package sluice.formats.tar;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * A bounded pipe of byte blocks between two threads. Blocks are used again, so that its memory is
 * fixed. Either side may {@link #abort} it, which frees the other one at once.
 */
final class BlockPipe {

  /** Some bytes; belongs to the side that took it last. */
  static final class Block {
    private final byte[] bytes;
    private int length;

    private Block(int capacity) {
      this.bytes = new byte[capacity];
    }

    byte[] bytes() {
      return bytes;
    }

    /** How many of the bytes are filled. */
    int length() {
      return length;
    }
  }

  private final Deque<Block> free = new ArrayDeque<>();
  private final Deque<Block> full = new ArrayDeque<>();
  private boolean ended;
  private boolean aborted;

  BlockPipe(int blocks, int blockBytes) {
    for (int i = 0; i < blocks; i++) {
      free.add(new Block(blockBytes));
    }
  }

  /** Waits for a block to fill; null if the pipe was aborted. */
  synchronized @Nullable Block toFill() throws InterruptedException {
    while (free.isEmpty() && !aborted) {
      wait();
    }
    return aborted ? null : free.remove();
  }

  /** Hands a block over, of which {@code length} bytes are filled. */
  synchronized void filled(Block block, int length) {
    block.length = length;
    full.add(block);
    notifyAll();
  }

  /** Says that no more blocks come. */
  synchronized void end() {
    ended = true;
    notifyAll();
  }

  /**
   * Waits for a filled block; null after the last one.
   *
   * @throws IOException if the pipe was aborted
   */
  synchronized @Nullable Block take() throws IOException {
    try {
      while (full.isEmpty() && !ended && !aborted) {
        wait();
      }
    } catch (InterruptedException e) {
      // The taking side is a thread of our own, which is interrupted when it is to end.
      Thread.currentThread().interrupt();
      abort();
    }
    if (aborted) {
      throw new IOException("the other side of the pipe gave up");
    }
    return full.poll();
  }

  /** Gives an emptied block back. */
  synchronized void emptied(Block block) {
    free.add(block);
    notifyAll();
  }

  /** Ends the pipe for both sides; what is in it is lost. */
  synchronized void abort() {
    aborted = true;
    notifyAll();
  }
}
