package sluice.registry;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import okio.BufferedSource;
import sluice.core.Digest;
import sluice.core.FetchException.Reason;
import sluice.core.Lane;

/**
 * Reads a range of a blob: {@code GET /v2/NAME/blobs/DIGEST} with {@code Range}.
 *
 * <p>An answer counts only if it is the range: 206 with its {@code Content-Range} and its length,
 * neither more nor less. A server that ignores {@code Range} answers 200 with the whole blob; then
 * what lies before the range is read and dropped, up to {@link Limits#SKIPPED_BYTES}, and a range
 * that ends beyond that is refused, for each read would download the layer again.
 */
final class BlobRange {

  private final Exchanger exchanger;
  private final FetchListener listener;

  BlobRange(Exchanger exchanger, FetchListener listener) {
    this.exchanger = exchanger;
    this.listener = listener;
  }

  /** Fills {@code into}, or throws; one attempt. */
  void read(Source source, Digest blob, long offset, ByteBuffer into, Lane lane, Deadline deadline)
      throws IOException, InterruptedException {
    int lengthBytes = into.remaining();
    Ask ask =
        Ask.get(source, source.blob(blob))
            .with("Range", Exchanger.range(offset, lengthBytes))
            .accepting(200, 206);
    int start = into.position();
    long skipped =
        exchanger.readBlob(
            source,
            ask,
            lane,
            deadline,
            answer -> {
              into.position(start);
              return read(ask, answer, offset, into, deadline);
            });
    listener.received(lane, skipped + lengthBytes);
  }

  /** Reads one answer; how many bytes of it were dropped. */
  private long read(Ask ask, Answer answer, long offset, ByteBuffer into, Deadline deadline)
      throws IOException, InterruptedException {
    int lengthBytes = into.remaining();
    try (answer) {
      boolean whole = answer.status() == 200;
      long skipped = whole ? checkWhole(ask, answer, offset, lengthBytes) : 0;
      if (!whole) {
        checkPart(ask, answer, offset, lengthBytes);
      }
      exchanger.readBody(
          ask,
          answer,
          deadline,
          body -> {
            body.skip(skipped);
            fill(body, into);
            if (!whole && !body.exhausted()) {
              throw new FailedAttempt(
                  ask + ": more than the " + lengthBytes + " bytes asked for",
                  Reason.PROTOCOL,
                  answer.status());
            }
            return into;
          });
      if (whole) {
        // The rest of the blob is of no use.
        answer.abort();
      }
      return skipped;
    }
  }

  private static void fill(BufferedSource body, ByteBuffer into) throws IOException {
    while (into.hasRemaining()) {
      if (body.read(into) < 0) {
        throw new EOFException("the body ends " + into.remaining() + " bytes short");
      }
    }
  }

  private static void checkPart(Ask ask, Answer answer, long offset, long lengthBytes)
      throws FailedAttempt {
    String header = answer.header("Content-Range").orElse("");
    Optional<ContentRange> range = ContentRange.parse(header);
    boolean asked =
        range.isPresent()
            && range.get().first() == offset
            && range.get().last() == offset + lengthBytes - 1;
    if (!asked) {
      answer.abort();
      throw new FailedAttempt(
          "%s: status 206 with Content-Range \"%s\"".formatted(ask, shorten(header)),
          Reason.PROTOCOL,
          206);
    }
    Optional<Long> length = answer.lengthBytes();
    if (length.isPresent() && length.get() != lengthBytes) {
      answer.abort();
      throw new FailedAttempt(
          "%s: status 206 with a body of %d bytes".formatted(ask, length.get()),
          Reason.PROTOCOL,
          206);
    }
  }

  /** How much of a whole blob to drop. */
  private static long checkWhole(Ask ask, Answer answer, long offset, long lengthBytes)
      throws FailedAttempt {
    Optional<Long> length = answer.lengthBytes();
    if (length.isPresent() && length.get() < offset + lengthBytes) {
      answer.abort();
      throw new FailedAttempt(
          "%s: status 200 with a blob of %d bytes, which ends before the range"
              .formatted(ask, length.get()),
          Reason.PROTOCOL,
          200);
    }
    if (offset + lengthBytes > Limits.SKIPPED_BYTES) {
      answer.abort();
      throw new FailedAttempt(
          "%s: status 200, this server ignores Range; at most the first %d bytes of a blob are read from it that way. Use a registry or a proxy that serves ranges"
              .formatted(ask, Limits.SKIPPED_BYTES),
          Reason.PROTOCOL,
          200);
    }
    return offset;
  }

  private static String shorten(String header) {
    return header.length() <= 80 ? header : header.substring(0, 80) + "…";
  }
}
