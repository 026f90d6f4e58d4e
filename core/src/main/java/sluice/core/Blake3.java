package sluice.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * BLAKE3, plain hashing with 32 bytes of output (the BLAKE3 paper, section 2): the digest of chunks
 * in RAFS. Keyed hashing, key derivation and longer outputs are left out.
 *
 * <p>The input is a binary tree of 1024-byte chunks. Level by level, neighbours become one node and
 * an odd one at the end moves up as it is; so are its left subtrees complete, as the paper wants
 * them. Runs of {@link Blake3Lanes#MAX} chunks, each a subtree of its own, are hashed side by side.
 */
final class Blake3 {
  static final int HASH_BYTES = 32;
  static final int HASH_WORDS = HASH_BYTES / Integer.BYTES;
  static final int CHUNK_BYTES = 1024;
  static final int BLOCK_BYTES = 64;
  static final int BLOCK_WORDS = BLOCK_BYTES / Integer.BYTES;

  // Domain separation flags, table 3 of the paper.
  static final int CHUNK_START = 1;
  static final int CHUNK_END = 1 << 1;
  static final int PARENT = 1 << 2;
  static final int ROOT = 1 << 3;

  private static final int RUN_BYTES = Blake3Lanes.MAX * CHUNK_BYTES;

  private final ByteBuffer in;
  private final int[] block = new int[BLOCK_WORDS];

  private Blake3(ByteBuffer in) {
    this.in = in;
  }

  /** Hashes the remaining bytes of {@code content}, whose position stays. */
  static byte[] hash(ByteBuffer content) {
    int[] root = new Blake3(content.slice().order(ByteOrder.LITTLE_ENDIAN)).root();
    byte[] hash = new byte[HASH_BYTES];
    ByteBuffer.wrap(hash).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().put(root);
    return hash;
  }

  private int[] root() {
    int length = in.limit();
    if (length <= CHUNK_BYTES) {
      return chunk(0, length, ROOT);
    }
    int runs = Math.ceilDiv(length, RUN_BYTES);
    int[][] nodes = new int[runs][];
    Blake3Lanes lanes = new Blake3Lanes(in);
    for (int run = 0; run < runs; run++) {
      int offset = run * RUN_BYTES;
      nodes[run] = run(lanes, offset, Math.min(RUN_BYTES, length - offset), runs == 1 ? ROOT : 0);
    }
    return reduce(nodes, runs, ROOT);
  }

  /** The chaining value of a run of chunks; {@code flags} go into its topmost node. */
  private int[] run(Blake3Lanes lanes, int offset, int length, int flags) {
    int whole = length / CHUNK_BYTES;
    int[][] nodes = new int[Math.ceilDiv(length, CHUNK_BYTES)][HASH_WORDS];
    if (whole >= Blake3Lanes.MIN) {
      lanes.chunks(offset, whole, nodes);
    } else {
      for (int i = 0; i < whole; i++) {
        nodes[i] = chunk(offset + i * CHUNK_BYTES, CHUNK_BYTES, 0);
      }
    }
    if (whole < nodes.length) {
      nodes[whole] = chunk(offset + whole * CHUNK_BYTES, length - whole * CHUNK_BYTES, 0);
    }
    int count = nodes.length;
    while (count / 2 >= Blake3Lanes.MIN) {
      lanes.parents(nodes, count / 2);
      if (count % 2 == 1) {
        nodes[count / 2] = nodes[count - 1];
      }
      count = Math.ceilDiv(count, 2);
    }
    return reduce(nodes, count, flags);
  }

  private int[] reduce(int[][] nodes, int count, int flags) {
    int left = count;
    while (left > 1) {
      for (int i = 0; i < left / 2; i++) {
        nodes[i] = parent(nodes[2 * i], nodes[2 * i + 1], left == 2 ? flags : 0);
      }
      if (left % 2 == 1) {
        nodes[left / 2] = nodes[left - 1];
      }
      left = Math.ceilDiv(left, 2);
    }
    return nodes[0];
  }

  private int[] parent(int[] left, int[] right, int flags) {
    System.arraycopy(left, 0, block, 0, HASH_WORDS);
    System.arraycopy(right, 0, block, HASH_WORDS, HASH_WORDS);
    int[] value = Blake3Compression.initialValue();
    Blake3Compression.compress(value, block, 0, BLOCK_BYTES, PARENT | flags);
    return value;
  }

  private int[] chunk(int offset, int length, int flags) {
    int[] value = Blake3Compression.initialValue();
    int done = 0;
    do {
      int blockLength = Math.min(BLOCK_BYTES, length - done);
      load(offset + done, blockLength);
      int blockFlags = done == 0 ? CHUNK_START : 0;
      if (done + blockLength == length) {
        blockFlags |= CHUNK_END | flags;
      }
      Blake3Compression.compress(value, block, offset / CHUNK_BYTES, blockLength, blockFlags);
      done += blockLength;
    } while (done < length);
    return value;
  }

  private void load(int offset, int length) {
    for (int i = 0; i < BLOCK_WORDS; i++) {
      int at = i * Integer.BYTES;
      block[i] =
          at + Integer.BYTES <= length
              ? in.getInt(offset + at)
              : partialWord(offset + at, length - at);
    }
  }

  private int partialWord(int offset, int length) {
    int word = 0;
    for (int i = 0; i < length; i++) {
      word |= (in.get(offset + i) & 0xff) << (i * Byte.SIZE);
    }
    return word;
  }
}
