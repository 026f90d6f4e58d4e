package sluice.formats.toc;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.RandomAccess;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.Digest;
import sluice.core.Placement;

/**
 * The chunks of a layer by rising place in blob and device alike, in columns: a layer may have
 * millions. A chunk has payloads, the pieces of files, that do not overlap and rise in what it
 * decodes to; each has a digest of its own. Filled by one thread.
 */
final class TocChunks implements Iterable<Chunk> {

  private static final int FIRST_CAPACITY = 256;

  /**
   * What a payload takes of the heap with a chunk of its own: columns of 68 bytes, half empty at
   * worst.
   */
  static final int PAYLOAD_BYTES = 100;

  private static final int DIGEST_BYTES = Digest.Algorithm.SHA256.lengthBytes();

  private final ChunkEncoding encoding;

  private long[] encodedOffsets = new long[FIRST_CAPACITY];
  private long[] encodedEnds = new long[FIRST_CAPACITY];
  private int[] firstPayloads = new int[FIRST_CAPACITY];
  private int chunks;

  private int[] innerOffsets = new int[FIRST_CAPACITY];
  private int[] lengths = new int[FIRST_CAPACITY];
  private long[] deviceOffsets = new long[FIRST_CAPACITY];
  private byte[] digests = new byte[FIRST_CAPACITY * DIGEST_BYTES];
  private int payloads;

  TocChunks(ChunkEncoding encoding) {
    this.encoding = encoding;
  }

  /** Begins a chunk at a byte of the blob. */
  void begin(long encodedOffset) {
    if (chunks == encodedOffsets.length) {
      encodedOffsets = Arrays.copyOf(encodedOffsets, 2 * chunks);
      encodedEnds = Arrays.copyOf(encodedEnds, 2 * chunks);
      firstPayloads = Arrays.copyOf(firstPayloads, 2 * chunks);
    }
    encodedOffsets[chunks] = encodedOffset;
    firstPayloads[chunks] = payloads;
    chunks++;
  }

  /** Adds a payload to the chunk that was begun last. */
  void add(int innerOffset, int length, long deviceOffset, Digest sha256) {
    if (payloads == lengths.length) {
      innerOffsets = Arrays.copyOf(innerOffsets, 2 * payloads);
      lengths = Arrays.copyOf(lengths, 2 * payloads);
      deviceOffsets = Arrays.copyOf(deviceOffsets, 2 * payloads);
      digests = Arrays.copyOf(digests, 2 * digests.length);
    }
    innerOffsets[payloads] = innerOffset;
    lengths[payloads] = length;
    deviceOffsets[payloads] = deviceOffset;
    System.arraycopy(sha256.bytes(), 0, digests, payloads * DIGEST_BYTES, DIGEST_BYTES);
    payloads++;
  }

  /** Ends the chunk that was begun last before this byte of the blob. */
  void end(long encodedEnd) {
    encodedEnds[chunks - 1] = encodedEnd;
  }

  int payloads() {
    return payloads;
  }

  boolean isEmpty() {
    return payloads == 0;
  }

  @Override
  public Iterator<Chunk> iterator() {
    return new Iterator<>() {
      private int next;

      @Override
      public boolean hasNext() {
        return next < chunks;
      }

      @Override
      public Chunk next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        return chunk(next++);
      }
    };
  }

  private Chunk chunk(int number) {
    int end = number + 1 < chunks ? firstPayloads[number + 1] : payloads;
    return new Chunk(
        new ByteRange(encodedOffsets[number], encodedEnds[number] - encodedOffsets[number]),
        encoding,
        innerOffsets[end - 1] + (long) lengths[end - 1],
        null,
        placements(firstPayloads[number], end));
  }

  private List<Placement> placements(int from, int to) {
    if (to - from == 1) {
      return List.of(placement(from));
    }
    return new Placements(from, to - from);
  }

  private Placement placement(int payload) {
    byte[] digest =
        Arrays.copyOfRange(digests, payload * DIGEST_BYTES, (payload + 1) * DIGEST_BYTES);
    return new Placement(
        innerOffsets[payload],
        lengths[payload],
        deviceOffsets[payload],
        Digest.of(Digest.Algorithm.SHA256, digest));
  }

  /** Some payloads in a row, made as they are asked for. */
  private final class Placements extends AbstractList<Placement> implements RandomAccess {
    private final int from;
    private final int count;

    Placements(int from, int count) {
      this.from = from;
      this.count = count;
    }

    @Override
    public Placement get(int index) {
      return placement(from + index);
    }

    @Override
    public int size() {
      return count;
    }
  }
}
