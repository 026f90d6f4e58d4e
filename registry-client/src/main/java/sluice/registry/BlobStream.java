package sluice.registry;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import okio.BufferedSource;
import org.jspecify.annotations.Nullable;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.FetchException.Reason;
import sluice.core.Lane;

/**
 * A whole blob as it comes in: {@code GET /v2/NAME/blobs/DIGEST}. A connection that breaks is
 * followed by another that asks for the rest by {@code Range}, at any source, as long as each
 * brings something. The length must be what the first answer said. For one thread; an interrupt of
 * it ends a read with {@link InterruptedIOException}, and it stays interrupted.
 */
final class BlobStream extends InputStream {

  /**
   * What is read at a time: so much that the change of threads costs nothing beside it. A stream
   * must bring as much in twice the idle timeout, so that one that drips ends.
   */
  private static final int BUFFER_BYTES = 128 * 1024;

  /** Broken connections in a row that brought nothing. */
  private static final int MAX_FRUITLESS = 3;

  /** What a stream needs of its client. */
  record Origin(
      Exchanger exchanger,
      Failover failover,
      Givers givers,
      FetchListener listener,
      RegistryConfig.Timeouts timeouts) {}

  private final Origin origin;
  private final List<Source> sources;
  private final Digest blob;
  private final Lane lane;

  private final Set<Source> givers = new HashSet<>();
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int start;
  private int end;
  private long received;
  private Optional<Long> total = Optional.empty();
  private int fruitless;
  private boolean finished;
  private @Nullable Ask ask;
  private @Nullable Answer answer;

  private BlobStream(Origin origin, List<Source> sources, Digest blob, Lane lane) {
    this.origin = origin;
    this.sources = sources;
    this.blob = blob;
    this.lane = lane;
  }

  /** Opens the stream once a source answered. */
  static InputStream open(Origin origin, List<Source> sources, Digest blob, Lane lane)
      throws IOException, InterruptedException {
    BlobStream stream = new BlobStream(origin, sources, blob, lane);
    stream.connect();
    return stream;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, into.length);
    if (length == 0) {
      return 0;
    }
    if (start == end && !fill()) {
      return -1;
    }
    int count = Math.min(length, end - start);
    System.arraycopy(buffer, start, into, offset, count);
    start += count;
    return count;
  }

  @Override
  public int available() {
    return end - start;
  }

  @Override
  public void close() {
    finished = true;
    start = end;
    disconnect();
  }

  /** Gets more bytes; false at the end of the blob. */
  private boolean fill() throws IOException {
    try {
      while (!finished) {
        if (answer == null) {
          connect();
        }
        if (receive()) {
          return true;
        }
      }
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      InterruptedIOException interrupted =
          new InterruptedIOException("interrupted while reading " + blob);
      interrupted.initCause(e);
      throw interrupted;
    }
  }

  private void connect() throws IOException, InterruptedException {
    answer =
        origin.failover.run(
            lane,
            sources,
            origin.timeouts.request(),
            (source, deadline) -> {
              Ask next = ask(source);
              Answer opened =
                  origin.exchanger.readBlob(
                      source, next, lane, deadline, head -> checked(next, head));
              ask = next;
              givers.add(source);
              origin.givers.gave(blob, 0, givers);
              return opened;
            });
  }

  private Answer checked(Ask asked, Answer opened) throws FailedAttempt {
    boolean sound = false;
    try {
      check(asked, opened);
      sound = true;
      return opened;
    } finally {
      if (!sound) {
        opened.abort();
        opened.close();
      }
    }
  }

  private Ask ask(Source source) throws FetchException {
    Ask whole = Ask.get(source, source.blob(blob)).asStream();
    return received == 0
        ? whole
        : whole.with("Range", Exchanger.range(received, -1)).accepting(206);
  }

  /** Refuses an answer that does not go on where the last one broke. */
  private void check(Ask asked, Answer opened) throws FailedAttempt {
    Optional<Long> length;
    if (received == 0) {
      length = opened.lengthBytes();
    } else {
      String header = opened.header("Content-Range").orElse("");
      Optional<ContentRange> range = ContentRange.parse(header);
      if (range.isEmpty() || range.get().first() != received) {
        throw new FailedAttempt(
            asked + ": status 206 with another Content-Range", Reason.PROTOCOL, 206);
      }
      length = range.get().total();
    }
    if (total.isPresent() && length.isPresent() && !total.get().equals(length.get())) {
      throw new FailedAttempt(
          "%s: a length of %d bytes, before it was %d".formatted(asked, length.get(), total.get()),
          Reason.PROTOCOL,
          opened.status());
    }
    if (total.isEmpty()) {
      total = length;
    }
  }

  /** What one read from a connection brought, and what became of the connection. */
  private record Received(int lengthBytes, boolean ended, @Nullable IOException broken) {}

  /** Reads once from the connection; false if that brought nothing. */
  private boolean receive() throws IOException, InterruptedException {
    Answer from = answer;
    Ask asked = ask;
    if (from == null || asked == null) {
      throw new AssertionError("connected before it receives");
    }
    Deadline deadline = Deadline.after(origin.timeouts.idle().multipliedBy(2));
    Received got;
    try {
      got = origin.exchanger.readBody(asked, from, deadline, this::readBuffer);
    } catch (FailedAttempt e) {
      // Dripped for too long.
      got = new Received(0, false, e);
    } catch (InterruptedException e) {
      close();
      throw e;
    }
    origin.listener.received(lane, got.lengthBytes);
    received += got.lengthBytes;
    start = 0;
    end = got.lengthBytes;
    fruitless = got.lengthBytes > 0 ? 0 : fruitless + 1;
    if (got.ended || (total.isPresent() && total.get() == received)) {
      finish(asked);
    } else if (got.broken != null) {
      disconnect();
      origin.exchanger.forgetRedirect(asked);
      origin.listener.failed(lane, Reason.UNREACHABLE);
      if (fruitless >= MAX_FRUITLESS) {
        throw new FetchException(
            "%s: broke %d times in a row at byte %d: %s"
                .formatted(asked, fruitless, received, got.broken.getMessage()),
            Reason.UNREACHABLE,
            0,
            got.broken);
      }
    }
    return got.lengthBytes > 0;
  }

  /** Fills the buffer as far as the connection lasts. */
  private Received readBuffer(BufferedSource body) {
    int count = 0;
    try {
      while (count < BUFFER_BYTES) {
        int more = body.read(buffer, count, BUFFER_BYTES - count);
        if (more < 0) {
          return new Received(count, true, null);
        }
        count += more;
      }
      return new Received(count, false, null);
    } catch (IOException e) {
      return new Received(count, false, e);
    }
  }

  /** The body ended by itself; HTTP has checked its length, this checks the blob's. */
  private void finish(Ask asked) throws FetchException {
    finished = true;
    disconnect();
    if (total.isPresent() && total.get() != received) {
      origin.exchanger.forgetRedirect(asked);
      throw new FetchException(
          "%s: ended after %d bytes of %d".formatted(asked, received, total.get()),
          Reason.PROTOCOL,
          0,
          null);
    }
  }

  private void disconnect() {
    Answer open = answer;
    answer = null;
    if (open != null) {
      open.abort();
      open.close();
    }
  }
}
