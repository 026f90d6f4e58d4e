package sluice.snapshotter.signature;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Keys in files, in the textual form of RFC 7468. */
final class Pem {

  /** The key of RSA with 16384 bits has a fourth of it. */
  private static final long MAX_BYTES = 64 << 10;

  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,64})-----([^-]*)-----END \\1-----");

  private Pem() {}

  /**
   * Reads the only block of a file.
   *
   * @param label what must stand behind BEGIN
   * @param advice what a file of another kind has the user do
   * @throws IOException if the file is not there or holds something else; the message says what was
   *     found and what is expected
   */
  static byte[] read(Path file, String label, String advice) throws IOException {
    return parse(text(file, label), file, label, advice);
  }

  /** The content of the only block of a text that stands in {@code file}. */
  static byte[] parse(String text, Path file, String label, String advice) throws IOException {
    Matcher block = BLOCK.matcher(text);
    if (!block.find()) {
      throw wrong(file, "no PEM block in its %d bytes".formatted(text.length()), label, advice);
    }
    if (!block.group(1).equals(label)) {
      throw wrong(file, "a PEM block \"" + block.group(1) + '"', label, advice);
    }
    byte[] content;
    try {
      content = Base64.getMimeDecoder().decode(block.group(2));
    } catch (IllegalArgumentException e) {
      throw wrong(file, "a block that is not base64 (" + e.getMessage() + ')', label, advice);
    }
    if (block.find()) {
      throw wrong(file, "more than one PEM block", label, advice);
    }
    return content;
  }

  private static String text(Path file, String label) throws IOException {
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw wrong(file, "more than %d bytes".formatted(MAX_BYTES), label, "is it a key?");
      }
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException e) {
      throw new IOException("key %s: no such file".formatted(file), e);
    }
  }

  static IOException wrong(Path file, String found, String label, String advice) {
    return new IOException(
        "key %s: found %s, expected one \"-----BEGIN %s-----\"; %s"
            .formatted(file, found, label, advice));
  }
}
