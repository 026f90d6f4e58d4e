package sluice.linux;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is mounted in this mount namespace, from {@code /proc/self/mountinfo}. Reading it asks no
 * file system anything, so it also works where a mount's server is dead.
 */
public final class MountTable {

  private static final Path MOUNTINFO = Path.of("/proc/self/mountinfo");

  /**
   * proc_pid_mountinfo(5): id, parent, device, root, target, options; then optional fields, a dash.
   */
  private static final int FIXED_FIELDS = 6;

  private MountTable() {}

  /**
   * One mount.
   *
   * @param device {@code major:minor} of the file system
   * @param target where it is mounted, an absolute path; as text, for it need not be a path that
   *     this JVM's locale can express
   * @param type file system type, with its subtype: {@code fuse.sluice}
   * @param options those of the file system, as it shows them
   */
  public record Entry(String device, String target, String type, String options) {}

  /** All mounts, in the kernel's order: of several at one place the last is on top. */
  public static List<Entry> read() throws IOException {
    // Paths in it are bytes: ISO 8859-1 keeps each until the path is made.
    String text = new String(Files.readAllBytes(MOUNTINFO), StandardCharsets.ISO_8859_1);
    List<Entry> entries = new ArrayList<>();
    text.lines().forEach(line -> parse(line).ifPresent(entries::add));
    return entries;
  }

  /** The topmost mount at exactly {@code target}. */
  public static Optional<Entry> at(Path target) throws IOException {
    String place = target.toAbsolutePath().normalize().toString();
    return read().stream()
        .filter(entry -> entry.target().equals(place))
        .reduce((lower, upper) -> upper);
  }

  static Optional<Entry> parse(String line) {
    String[] fields = line.split(" ", -1);
    for (int i = FIXED_FIELDS; i + 3 < fields.length; i++) {
      if (fields[i].equals("-")) {
        return Optional.of(
            new Entry(fields[2], unescape(fields[4]), fields[i + 1], unescape(fields[i + 3])));
      }
    }
    return Optional.empty();
  }

  /** Blanks, tabs, newlines and backslashes are written as a backslash and three octal digits. */
  private static String unescape(String field) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(field.length());
    for (int i = 0; i < field.length(); i++) {
      char c = field.charAt(i);
      if (c == '\\' && i + 3 < field.length()) {
        bytes.write(Integer.parseInt(field.substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        bytes.write(c);
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
