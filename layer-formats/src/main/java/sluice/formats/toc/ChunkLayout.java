package sluice.formats.toc;

import sluice.core.ChunkEncoding;
import sluice.core.Digest;

/**
 * Lays the payloads of a TOC out: which bytes of the blob are a chunk, and where in the device its
 * payloads lie. For one thread.
 *
 * <p>Payloads come in the order in which they lie in the blob, as every writer appends them. A
 * chunk is what lies between two different offsets: the writers of eStargz begin a gzip member, or
 * a zstd frame, at each; what follows a payload in it, such as the next headers, is nobody's.
 * podman says where the last chunk of a file ends, and so that its own ends there.
 */
final class ChunkLayout {

  private final TocChunks chunks;
  private final long payloadEnd;

  /** Where the current chunk begins in the blob; -1 before the first. */
  private long chunkOffset = -1;

  /** What of the current chunk's decoded bytes is taken. */
  private long innerEnd;

  /** Where the current chunk is said to end; -1 if the next one's beginning says it. */
  private long saidEnd = -1;

  /** Whether a payload of the current chunk is in the device. */
  private boolean begun;

  /** A payload that cannot lie where the TOC says. */
  static final class MisplacedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String problem;

    MisplacedException(String problem) {
      super(problem);
      this.problem = problem;
    }

    String problem() {
      return problem;
    }
  }

  /**
   * @param payloadEnd the first byte of the blob that is no payload's
   */
  ChunkLayout(ChunkEncoding encoding, long payloadEnd) {
    this.chunks = new TocChunks(encoding);
    this.payloadEnd = payloadEnd;
  }

  /** All that was placed, after {@link #finish}. */
  TocChunks chunks() {
    return chunks;
  }

  /** Places the next payload, of 1 byte or more. */
  void place(long offset, long innerOffset, long length, long deviceOffset, Digest sha256)
      throws MisplacedException {
    pass(offset, innerOffset, length);
    if (innerEnd > TocLimits.MAX_CHUNK_BYTES) {
      throw new MisplacedException(
          "ends at byte %d of what its chunk decodes to, at most %d"
              .formatted(innerEnd, TocLimits.MAX_CHUNK_BYTES));
    }
    if (chunks.payloads() == TocLimits.MAX_PAYLOADS) {
      throw new MisplacedException(
          "is one of more than %d payloads".formatted(TocLimits.MAX_PAYLOADS));
    }
    if (!begun) {
      begun = true;
      chunks.begin(chunkOffset);
    }
    chunks.add((int) innerOffset, (int) length, deviceOffset, sha256);
  }

  /** Passes a payload that lies in the blob but needs no room: it is zeros, or is hidden. */
  void pass(long offset, long innerOffset, long length) throws MisplacedException {
    if (offset != chunkOffset || offset < 0) {
      long from = Math.max(chunkOffset + 1, saidEnd);
      if (offset < from || offset >= payloadEnd) {
        throw new MisplacedException(
            "begins at byte %d of the blob, expected %d to %d"
                .formatted(offset, Math.max(from, 0), payloadEnd - 1));
      }
      endChunk(offset);
      chunkOffset = offset;
      innerEnd = 0;
      saidEnd = -1;
      begun = false;
    } else if (saidEnd >= 0) {
      throw new MisplacedException("begins at byte %d of the blob, as another".formatted(offset));
    }
    if (innerOffset < innerEnd || innerOffset > Long.MAX_VALUE - length) {
      throw new MisplacedException(
          "begins at byte %d of what its chunk decodes to, expected %d or more"
              .formatted(innerOffset, innerEnd));
    }
    innerEnd = innerOffset + length;
  }

  /** Ends the current chunk where the TOC says. */
  void endAt(long endOffset) throws MisplacedException {
    if (endOffset <= chunkOffset || endOffset > payloadEnd) {
      throw new MisplacedException(
          "ends at byte %d of the blob, expected %d to %d"
              .formatted(endOffset, chunkOffset + 1, payloadEnd));
    }
    saidEnd = endOffset;
  }

  /** Ends the last chunk. */
  void finish() throws MisplacedException {
    endChunk(payloadEnd);
  }

  private void endChunk(long nextOffset) throws MisplacedException {
    if (!begun) {
      return;
    }
    long end = saidEnd >= 0 ? saidEnd : nextOffset;
    if (end - chunkOffset > TocLimits.MAX_CHUNK_BYTES) {
      throw new MisplacedException(
          "comes after a chunk of %d encoded bytes, at most %d"
              .formatted(end - chunkOffset, TocLimits.MAX_CHUNK_BYTES));
    }
    chunks.end(end);
  }
}
