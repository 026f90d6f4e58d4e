package sluice.core;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Hashes many BLAKE3 chunks, or parent nodes, side by side: one array for each word of state and
 * message, one element of it for each chunk.
 *
 * <p>{@link #mix} is small, reads all before it writes, and goes over the arrays with one index;
 * the compiler vectorises that by itself. The arrays belong to one hash and are made for it.
 */
final class Blake3Lanes {
  /** The most chunks at once: 32 arrays of 1 KiB stay in the first-level cache. */
  static final int MAX = 256;

  /** Fewer chunks are faster one after another. */
  static final int MIN = 32;

  private static final int[] PERMUTATION = {
    2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8,
  };

  private final ByteBuffer in;
  private final int[][] value = new int[Blake3.HASH_WORDS][MAX];
  private final int[][] state = new int[Blake3.BLOCK_WORDS][MAX];
  private int[][] message = new int[Blake3.BLOCK_WORDS][MAX];
  private int[][] permuted = new int[Blake3.BLOCK_WORDS][];

  /** Hashes chunks of {@code in}, whose order is little-endian. */
  Blake3Lanes(ByteBuffer in) {
    this.in = in;
  }

  /** Hashes {@code count} whole chunks from {@code offset} on into {@code nodes}. */
  void chunks(int offset, int count, int[][] nodes) {
    initialise(count);
    for (int block = 0; block < Blake3.CHUNK_BYTES; block += Blake3.BLOCK_BYTES) {
      load(offset + block, count);
      int flags = block == 0 ? Blake3.CHUNK_START : 0;
      if (block == Blake3.CHUNK_BYTES - Blake3.BLOCK_BYTES) {
        flags |= Blake3.CHUNK_END;
      }
      compress(offset / Blake3.CHUNK_BYTES, 1, flags, count);
    }
    store(nodes, count);
  }

  /**
   * Hashes the first {@code 2 * count} of {@code nodes}, by pairs, into the first {@code count}.
   */
  void parents(int[][] nodes, int count) {
    for (int lane = 0; lane < count; lane++) {
      for (int word = 0; word < Blake3.HASH_WORDS; word++) {
        message[word][lane] = nodes[2 * lane][word];
        message[word + Blake3.HASH_WORDS][lane] = nodes[2 * lane + 1][word];
      }
    }
    initialise(count);
    compress(0, 0, Blake3.PARENT, count);
    store(nodes, count);
  }

  private void initialise(int lanes) {
    int[] initial = Blake3Compression.initialValue();
    for (int word = 0; word < initial.length; word++) {
      Arrays.fill(value[word], 0, lanes, initial[word]);
    }
  }

  private void load(int offset, int lanes) {
    for (int lane = 0; lane < lanes; lane++) {
      int base = offset + lane * Blake3.CHUNK_BYTES;
      for (int word = 0; word < Blake3.BLOCK_WORDS; word++) {
        message[word][lane] = in.getInt(base + word * Integer.BYTES);
      }
    }
  }

  private void store(int[][] nodes, int lanes) {
    for (int lane = 0; lane < lanes; lane++) {
      for (int word = 0; word < Blake3.HASH_WORDS; word++) {
        nodes[lane][word] = value[word][lane];
      }
    }
  }

  private void compress(int counter, int step, int flags, int lanes) {
    for (int word = 0; word < Blake3.HASH_WORDS; word++) {
      System.arraycopy(value[word], 0, state[word], 0, lanes);
    }
    Arrays.fill(state[8], 0, lanes, Blake3Compression.IV0);
    Arrays.fill(state[9], 0, lanes, Blake3Compression.IV1);
    Arrays.fill(state[10], 0, lanes, Blake3Compression.IV2);
    Arrays.fill(state[11], 0, lanes, Blake3Compression.IV3);
    for (int lane = 0; lane < lanes; lane++) {
      // A buffer has fewer than 2^21 chunks: the high half of the counter is always zero.
      state[12][lane] = counter + lane * step;
    }
    Arrays.fill(state[13], 0, lanes, 0);
    Arrays.fill(state[14], 0, lanes, Blake3.BLOCK_BYTES);
    Arrays.fill(state[15], 0, lanes, flags);
    for (int round = 0; round < Blake3Compression.ROUNDS; round++) {
      round(state, message, lanes);
      permute();
    }
    for (int word = 0; word < Blake3.HASH_WORDS; word++) {
      fold(value[word], state[word], state[word + Blake3.HASH_WORDS], lanes);
    }
  }

  /** Permutes the arrays, not what they hold; whoever loads a message next does not mind. */
  private void permute() {
    for (int word = 0; word < Blake3.BLOCK_WORDS; word++) {
      permuted[word] = message[PERMUTATION[word]];
    }
    int[][] old = message;
    message = permuted;
    permuted = old;
  }

  private static void round(int[][] v, int[][] m, int lanes) {
    mix(v[0], v[4], v[8], v[12], m[0], m[1], lanes);
    mix(v[1], v[5], v[9], v[13], m[2], m[3], lanes);
    mix(v[2], v[6], v[10], v[14], m[4], m[5], lanes);
    mix(v[3], v[7], v[11], v[15], m[6], m[7], lanes);
    mix(v[0], v[5], v[10], v[15], m[8], m[9], lanes);
    mix(v[1], v[6], v[11], v[12], m[10], m[11], lanes);
    mix(v[2], v[7], v[8], v[13], m[12], m[13], lanes);
    mix(v[3], v[4], v[9], v[14], m[14], m[15], lanes);
  }

  /** The function G of the paper. */
  private static void mix(int[] a, int[] b, int[] c, int[] d, int[] x, int[] y, int lanes) {
    for (int i = 0; i < lanes; i++) {
      int va = a[i];
      int vb = b[i];
      int vc = c[i];
      int vd = d[i];
      int vx = x[i];
      int vy = y[i];
      va += vb + vx;
      vd = Integer.rotateRight(vd ^ va, 16);
      vc += vd;
      vb = Integer.rotateRight(vb ^ vc, 12);
      va += vb + vy;
      vd = Integer.rotateRight(vd ^ va, 8);
      vc += vd;
      vb = Integer.rotateRight(vb ^ vc, 7);
      a[i] = va;
      b[i] = vb;
      c[i] = vc;
      d[i] = vd;
    }
  }

  private static void fold(int[] into, int[] low, int[] high, int lanes) {
    for (int i = 0; i < lanes; i++) {
      into[i] = low[i] ^ high[i];
    }
  }
}
