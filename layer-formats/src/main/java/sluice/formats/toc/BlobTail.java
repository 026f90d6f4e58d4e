package sluice.formats.toc;

import java.io.IOException;
import java.util.Arrays;

/** Bytes of a blob up to where its TOC or the blob ends, or none of them. Not to be changed. */
public final class BlobTail {

  private static final long MIN_BYTES = 64 << 10;
  private static final long MAX_BYTES = 512 << 10;

  /** A TOC is mostly a smaller part of its layer than this. */
  private static final long PART = 64;

  /** A tail of nothing, where nothing was read ahead. */
  public static final BlobTail NONE = new BlobTail(Long.MAX_VALUE, new byte[0]);

  private final long offset;
  private final byte[] bytes;

  BlobTail(long offset, byte[] bytes) {
    this.offset = offset;
    this.bytes = bytes;
  }

  /**
   * Fetches so much of a blob's end that most TOCs are all in it, footer and all: one request
   * instead of two, for at most {@value #MAX_BYTES} bytes.
   */
  public static BlobTail likelyToc(BlobReads blob, long blobBytes)
      throws IOException, InterruptedException {
    return fetch(blob, blobBytes, Math.clamp(blobBytes / PART, MIN_BYTES, MAX_BYTES));
  }

  /** Fetches the last {@code count} bytes of a blob, or all if there are fewer. */
  public static BlobTail fetch(BlobReads blob, long blobBytes, long count)
      throws IOException, InterruptedException {
    int length = Math.toIntExact(Math.min(blobBytes, count));
    return new BlobTail(blobBytes - length, blob.read(blobBytes - length, length));
  }

  /** Where the first of them lies in the blob. */
  long offset() {
    return offset;
  }

  /** Copies them from {@code at} of the blob on until {@code into} is full. */
  void copy(long at, byte[] into) {
    System.arraycopy(bytes, Math.toIntExact(at - offset), into, 0, into.length);
  }

  /** The last {@code count} bytes, or all if there are fewer. */
  public byte[] last(int count) {
    return Arrays.copyOfRange(bytes, Math.max(0, bytes.length - count), bytes.length);
  }
}
