package sluice.formats.tar;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/** Writes tar streams field by field, also ones that no tool would write. */
final class TarBuilder {

  private static final int BLOCK = 512;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** A header block that is being made. Text is ISO 8859-1, so that any byte can be said. */
  static final class Header {
    private final byte[] block = new byte[BLOCK];

    Header(String name, char type) {
      text(0, name);
      octal(100, 8, 0644);
      octal(108, 8, 0);
      octal(116, 8, 0);
      octal(124, 12, 0);
      octal(136, 12, 1_600_000_000);
      block[156] = (byte) type;
      text(257, "ustar\0" + "00");
    }

    Header text(int at, String text) {
      byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
      System.arraycopy(bytes, 0, block, at, bytes.length);
      return this;
    }

    Header octal(int at, int length, long value) {
      return text(at, String.format(Locale.ROOT, "%0" + (length - 1) + "o", value) + "\0");
    }

    /** A number in two's complement, as GNU tar writes what is too large for octal digits. */
    Header base256(int at, int length, long value) {
      for (int i = 0; i < length; i++) {
        int shift = 8 * (length - 1 - i);
        block[at + i] = (byte) (shift >= 64 ? value >> 63 : value >> shift);
      }
      block[at] |= (byte) 0x80;
      return this;
    }

    Header mode(int mode) {
      return octal(100, 8, mode);
    }

    Header size(long size) {
      return octal(124, 12, size);
    }

    Header link(String target) {
      return text(157, target);
    }

    Header v7() {
      Arrays.fill(block, 257, BLOCK, (byte) 0);
      return this;
    }

    Header gnu() {
      return text(257, "ustar  \0");
    }

    byte[] bytes() {
      return bytes(true);
    }

    /**
     * @param unsigned how the checksum adds bytes
     */
    byte[] bytes(boolean unsigned) {
      Arrays.fill(block, 148, 156, (byte) ' ');
      long sum = 0;
      for (byte b : block) {
        sum += unsigned ? b & 0xff : b;
      }
      text(148, String.format(Locale.ROOT, "%06o\0 ", sum));
      return block.clone();
    }
  }

  TarBuilder raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  TarBuilder header(Header header) {
    return raw(header.bytes());
  }

  /** Data, padded to a whole block. */
  TarBuilder data(byte[] data) {
    out.writeBytes(data);
    return raw(new byte[-data.length & (BLOCK - 1)]);
  }

  TarBuilder entry(Header header, byte[] data) {
    return header(header.size(data.length)).data(data);
  }

  TarBuilder file(String name, String content) {
    return entry(new Header(name, '0'), latin(content));
  }

  TarBuilder directory(String name) {
    return header(new Header(name, '5').mode(0755));
  }

  /** An extended header; the records are {@code KEY=VALUE}. */
  TarBuilder pax(char type, String... records) {
    StringBuilder content = new StringBuilder();
    for (String record : records) {
      int length = record.length() + 2;
      int digits = Integer.toString(length).length();
      length += digits;
      if (Integer.toString(length).length() > digits) {
        length++;
      }
      content.append(length).append(' ').append(record).append('\n');
    }
    return entry(new Header("PaxHeaders/x", type), latin(content.toString()));
  }

  /** What the next entry is called, as GNU tar says long names; type L or K. */
  TarBuilder gnuLong(char type, String name) {
    return entry(new Header("././@LongLink", type).gnu(), latin(name + "\0"));
  }

  /** The stream, with the two blocks that end it. */
  byte[] build() {
    raw(new byte[2 * BLOCK]);
    return out.toByteArray();
  }

  /** The stream as it is. */
  byte[] unfinished() {
    return out.toByteArray();
  }

  static byte[] latin(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
