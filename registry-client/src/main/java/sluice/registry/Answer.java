package sluice.registry;

import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import okhttp3.Call;
import okhttp3.HttpUrl;
import okhttp3.Response;
import okio.BufferedSource;

/**
 * The head of an answer, and its body as it comes in. Holds a slot and a connection until it is
 * closed. For one thread.
 */
final class Answer implements Closeable {

  /** Reads from a body. Runs on another thread than its caller's, which waits for it. */
  interface BodyReader<T> {
    T read(BufferedSource body) throws IOException;
  }

  private final Call call;
  private final Response response;
  private final Slots.Slot slot;
  private boolean closed;

  Answer(Call call, Response response, Slots.Slot slot) {
    this.call = call;
    this.response = response;
    this.slot = slot;
  }

  int status() {
    return response.code();
  }

  Optional<String> header(String name) {
    return Optional.ofNullable(response.header(name))
        .filter(value -> value.length() <= Limits.HEADER_CHARS);
  }

  Response response() {
    return response;
  }

  /** Where the answer came from, after redirects. */
  HttpUrl url() {
    return response.request().url();
  }

  /** Length of the body by the answer's head, if that says. */
  Optional<Long> lengthBytes() {
    long length = response.body().contentLength();
    return length < 0 ? Optional.empty() : Optional.of(length);
  }

  /**
   * Lets {@code reader} read from the body on a thread of its own, and waits for it: so an
   * interrupt, or the deadline, ends a read that a socket would block. When this returns or throws,
   * {@code reader} has ended, and touches none of the caller's buffers any more.
   */
  <T> T read(Deadline deadline, BodyReader<T> reader) throws IOException, InterruptedException {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread worker =
        Thread.ofVirtual()
            .name("registry-body")
            .start(() ->
                Waiting.complete(
                    result, () -> reader.read(response.body().source()), unread -> {}));
    boolean ended = false;
    try {
      T value = Waiting.get(result, deadline);
      ended = true;
      return value;
    } finally {
      if (!ended) {
        // Closing the socket under the reader is what ends it.
        call.cancel();
        Waiting.joinUninterruptibly(worker);
      }
    }
  }

  /** Gives the connection up without reading the rest of the body. */
  void abort() {
    call.cancel();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      response.close();
      slot.release();
    }
  }

  @Override
  public String toString() {
    return response.request().method() + ' ' + Urls.redacted(url());
  }
}
