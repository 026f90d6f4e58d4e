package sluice.fuse.raw;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A buffer for answers, used again for each: room for a header and the largest READ, contiguous, so
 * that an answer is one write(2). For one thread at a time.
 */
final class Reply {

  private static final int PAGE_BYTES = 4096;

  private final FuseDevice device;
  private final MemorySegment message;
  private final MemorySegment body;

  /** Memory of the buffer is freed when the buffer is unreachable. */
  Reply(FuseDevice device, int maxBodyBytes) {
    this.device = device;
    this.message = Arena.ofAuto().allocate(OutHeader.BYTES + (long) maxBodyBytes, PAGE_BYTES);
    this.body = message.asSlice(OutHeader.BYTES);
  }

  /** Where the answer's structure or data goes. */
  MemorySegment body() {
    return body;
  }

  /** Sends the first {@code lengthBytes} of the body; false if the kernel wants it no more. */
  boolean send(long unique, long lengthBytes) throws IOException {
    return put(0, unique, lengthBytes);
  }

  /** Sends an error, a positive errno. */
  boolean fail(long unique, int errno) throws IOException {
    return put(-errno, unique, 0);
  }

  /** Sends a notification, {@code enum fuse_notify_code}, with the body that it needs. */
  boolean tell(int code, long lengthBytes) throws IOException {
    return put(code, 0, lengthBytes);
  }

  private boolean put(int error, long unique, long bodyBytes) throws IOException {
    long length = OutHeader.BYTES + bodyBytes;
    new OutHeader(length, error, unique).write(message, 0);
    return device.put(message, length);
  }
}
