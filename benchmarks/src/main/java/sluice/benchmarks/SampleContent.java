package sluice.benchmarks;

import java.util.Random;

/** Content that compresses about as files of images do, the same each time. */
final class SampleContent {

  private static final long SEED = 20_260_101;
  private static final int WORDS = 4096;
  private static final int MAX_WORD_BYTES = 12;

  private SampleContent() {}

  /** Words of random bytes, each some bytes long, the first of them used the most. */
  static byte[] text(int lengthBytes) {
    Random random = new Random(SEED);
    byte[][] words = new byte[WORDS][];
    for (int i = 0; i < WORDS; i++) {
      words[i] = new byte[random.nextInt(2, MAX_WORD_BYTES)];
      random.nextBytes(words[i]);
    }
    byte[] text = new byte[lengthBytes];
    int at = 0;
    while (at < lengthBytes) {
      byte[] word = words[random.nextInt(random.nextInt(WORDS) + 1)];
      int length = Math.min(word.length, lengthBytes - at);
      System.arraycopy(word, 0, text, at, length);
      at += length;
    }
    return text;
  }
}
