package sluice.formats.tar;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Decompresses on the calling thread what a second thread unpacks. */
final class UnpackThread {

  private static final int BLOCKS = 8;
  private static final int BLOCK_BYTES = 256 * 1024;

  private UnpackThread() {}

  /** Makes what unpacks a tar stream. */
  @FunctionalInterface
  interface Unpacker {
    TarUnpack of(TarInput input);
  }

  /**
   * Reads {@code decoded} to its end, and unpacks it meanwhile. The other thread has ended when
   * this returns or throws.
   *
   * @param hash gets the whole tar stream
   * @return length of the tar stream in bytes
   * @throws IOException what reading threw, or else what unpacking threw
   */
  static long run(InputStream decoded, Unpacker unpacker, MessageDigest hash, String resource)
      throws IOException, InterruptedException {
    BlockPipe pipe = new BlockPipe(BLOCKS, BLOCK_BYTES);
    FutureTask<Long> unpack =
        new FutureTask<>(() -> {
          TarInput input = new TarInput(pipe, hash, resource);
          return unpack(pipe, input, unpacker.of(input));
        });
    // Not virtual: it hashes, and writes files, without a pause.
    Thread thread = Thread.ofPlatform().name("unpack " + resource).daemon().start(unpack);
    try {
      pump(decoded, pipe);
    } catch (Throwable e) {
      pipe.abort();
      // It may wait for room.
      thread.interrupt();
      join(thread);
      throw e;
    }
    join(thread);
    try {
      return unpack.get();
    } catch (ExecutionException e) {
      throw rethrown(e);
    }
  }

  private static long unpack(BlockPipe pipe, TarInput input, TarUnpack unpack) throws IOException {
    try {
      unpack.run();
      return input.position();
    } finally {
      pipe.abort();
    }
  }

  /** Fills blocks until the stream ends or the other side gives up. */
  private static void pump(InputStream decoded, BlockPipe pipe)
      throws IOException, InterruptedException {
    BlockPipe.Block block;
    while ((block = pipe.toFill()) != null) {
      int length = decoded.readNBytes(block.bytes(), 0, block.bytes().length);
      if (length == 0) {
        pipe.end();
        return;
      }
      pipe.filled(block, length);
    }
  }

  /** Waits for a thread that ends soon, even if we are interrupted: it uses our tree and files. */
  private static void join(Thread thread) {
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static IOException rethrown(ExecutionException failure) {
    return switch (failure.getCause()) {
      case IOException e -> e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case null, default -> throw new AssertionError("unpacking throws nothing else", failure);
    };
  }
}
