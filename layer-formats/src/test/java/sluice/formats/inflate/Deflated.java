package sluice.formats.inflate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.Deflater;

/** Content and what the JDK makes of it, as raw deflate. */
final class Deflated {

  private static final long SEED = 0x1f1a7e;

  private final String name;
  private final byte[] content;
  private final byte[] encoded;

  private Deflated(String name, byte[] content, byte[] encoded) {
    this.name = name;
    this.content = content;
    this.encoded = encoded;
  }

  byte[] content() {
    return content;
  }

  byte[] encoded() {
    return encoded;
  }

  /** Every kind of block, and lengths on both sides of each inflater's windows and buffers. */
  static List<Deflated> samples() {
    List<Deflated> samples = new ArrayList<>();
    for (int length : new int[] {0, 1, 257, 32_767, 32_768, 65_537, 300_000, 1_500_000}) {
      byte[] text = text(length);
      samples.add(of("text " + length, text, 6, Deflater.DEFAULT_STRATEGY));
    }
    byte[] text = text(400_000);
    samples.add(of("best", text, 9, Deflater.DEFAULT_STRATEGY));
    samples.add(of("fast", text, 1, Deflater.DEFAULT_STRATEGY));
    samples.add(of("stored", text, 0, Deflater.DEFAULT_STRATEGY));
    samples.add(of("no matches", text, 6, Deflater.HUFFMAN_ONLY));
    samples.add(of("zeros", new byte[3_000_000], 9, Deflater.DEFAULT_STRATEGY));
    byte[] noise = new byte[200_000];
    new Random(SEED).nextBytes(noise);
    samples.add(of("noise", noise, 6, Deflater.DEFAULT_STRATEGY));
    samples.add(of("fixed codes", text(100), 9, Deflater.FILTERED));
    return samples;
  }

  private static Deflated of(String name, byte[] content, int level, int strategy) {
    return new Deflated(name, content, deflate(content, level, strategy, new byte[0]));
  }

  static byte[] deflate(byte[] content, int level, int strategy, byte[] window) {
    Deflater deflater = new Deflater(level, true);
    try {
      deflater.setStrategy(strategy);
      if (window.length > 0) {
        deflater.setDictionary(window);
      }
      deflater.setInput(content);
      deflater.finish();
      byte[] encoded = new byte[content.length + content.length / 100 + 1000];
      int length = 0;
      while (!deflater.finished()) {
        length += deflater.deflate(encoded, length, encoded.length - length);
      }
      return Arrays.copyOf(encoded, length);
    } finally {
      deflater.end();
    }
  }

  /** Words again and again, some noise between them, and matches from far away. */
  static byte[] text(int length) {
    Random random = new Random(SEED + length);
    byte[] text = new byte[length];
    for (int i = 0; i < length; i++) {
      int far = Math.min(i, 1 + random.nextInt(32_768));
      text[i] =
          i > 300 && random.nextInt(16) > 0
              ? text[i - (random.nextInt(4) > 0 ? 1 + i % 290 : far)]
              : (byte) random.nextInt();
    }
    return text;
  }

  @Override
  public String toString() {
    return name;
  }
}
