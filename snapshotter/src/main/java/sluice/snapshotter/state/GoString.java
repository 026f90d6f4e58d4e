package sluice.snapshotter.state;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Interpreted string literals of Go (The Go Programming Language Specification, "String literals").
 */
final class GoString {

  private final String body;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private int at;

  private GoString(String body) {
    this.body = body;
  }

  /**
   * What stands between the quotes, with its escapes resolved.
   *
   * @throws IllegalArgumentException if there is an escape that Go does not have
   */
  static String unescape(String body) {
    return body.indexOf('\\') < 0 ? body : new GoString(body).resolve();
  }

  private String resolve() {
    while (at < body.length()) {
      int c = body.codePointAt(at);
      at += Character.charCount(c);
      if (c == '\\') {
        escape();
      } else {
        text(c);
      }
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  private void escape() {
    if (at == body.length()) {
      throw new IllegalArgumentException("\\ at the end of a quoted text");
    }
    char kind = body.charAt(at++);
    switch (kind) {
      case 'a' -> out.write(7);
      case 'b' -> out.write('\b');
      case 'f' -> out.write('\f');
      case 'n' -> out.write('\n');
      case 'r' -> out.write('\r');
      case 't' -> out.write('\t');
      case 'v' -> out.write(11);
      case '\\', '"' -> out.write(kind);
      case 'x' -> out.write(number(2, 16));
      case 'u' -> text(number(4, 16));
      case 'U' -> text(number(8, 16));
      case '0', '1', '2', '3', '4', '5', '6', '7' -> {
        at--;
        out.write(number(3, 8));
      }
      default -> throw new IllegalArgumentException("\\" + kind + " is no escape of Go");
    }
  }

  private int number(int digits, int radix) {
    String number = body.substring(at, Math.min(at + digits, body.length()));
    if (number.length() < digits || !number.chars().allMatch(c -> Character.digit(c, radix) >= 0)) {
      throw new IllegalArgumentException(
          "%d digits of base %d expected after \\, found \"%s\"".formatted(digits, radix, number));
    }
    at += digits;
    return Integer.parseUnsignedInt(number, radix);
  }

  private void text(int codePoint) {
    if (!Character.isValidCodePoint(codePoint)) {
      throw new IllegalArgumentException("\\U%08x is no character".formatted(codePoint));
    }
    byte[] utf8 = Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
    out.write(utf8, 0, utf8.length);
  }
}
