package sluice.command;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;

/** What must be closed together, the last opened first. For one thread. */
final class OpenParts implements Closeable {

  private final Deque<Closeable> opened = new ArrayDeque<>();

  /** Takes ownership of a part. */
  <C extends Closeable> C keep(C part) {
    opened.push(part);
    return part;
  }

  /** Closes everything because {@code cause} came in between. */
  void closeAfter(Exception cause) {
    try {
      close();
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  /** Closes everything, even if some of it fails. */
  @Override
  public void close() throws IOException {
    IOException failed = null;
    while (!opened.isEmpty()) {
      try {
        opened.pop().close();
      } catch (IOException e) {
        if (failed == null) {
          failed = e;
        } else {
          failed.addSuppressed(e);
        }
      }
    }
    if (failed != null) {
      throw failed;
    }
  }
}
