package sluice.erofs;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import sluice.core.Bytes;

/**
 * Paths within a tree: bytes, parts separated by {@code /}, no leading slash, no empty part, no
 * {@code .} and no {@code ..}. The empty path is the root.
 */
public final class TreePath {

  private static final Bytes DOT = Bytes.utf8(".");
  private static final Bytes DOT_DOT = Bytes.utf8("..");

  private TreePath() {}

  /**
   * Makes a clean path of a name in a layer, as {@code path.Clean("/" + name)} does: {@code ./a},
   * {@code /a}, {@code a/} and {@code b/../a} are {@code a}, and {@code ..} stops at the root.
   *
   * @return empty if the name holds a NUL, which no file's name can
   */
  public static Optional<Bytes> clean(Bytes name) {
    if (name.indexOf((byte) 0, 0) >= 0) {
      return Optional.empty();
    }
    List<Bytes> parts = new ArrayList<>();
    for (Bytes part : split(name)) {
      if (part.equals(DOT_DOT)) {
        if (!parts.isEmpty()) {
          parts.removeLast();
        }
      } else if (!part.equals(DOT)) {
        parts.add(part);
      }
    }
    return Optional.of(join(parts));
  }

  /** The parts between slashes; empty ones are left out. */
  static List<Bytes> split(Bytes path) {
    List<Bytes> parts = new ArrayList<>();
    int from = 0;
    while (from < path.length()) {
      int slash = path.indexOf((byte) '/', from);
      int to = slash < 0 ? path.length() : slash;
      if (to > from) {
        parts.add(path.slice(from, to));
      }
      from = to + 1;
    }
    return parts;
  }

  static Bytes join(List<Bytes> parts) {
    if (parts.size() == 1) {
      return parts.getFirst();
    }
    int length = Math.max(0, parts.size() - 1);
    for (Bytes part : parts) {
      length += part.length();
    }
    byte[] path = new byte[length];
    int at = 0;
    for (Bytes part : parts) {
      if (at > 0) {
        path[at++] = '/';
      }
      part.asBuffer().get(path, at, part.length());
      at += part.length();
    }
    return Bytes.of(path);
  }

  /**
   * The parts of a clean path.
   *
   * @throws IllegalArgumentException if it is not clean
   */
  static List<Bytes> parts(Bytes path) {
    List<Bytes> parts = split(path);
    int length = Math.max(0, parts.size() - 1);
    for (Bytes part : parts) {
      length += part.length();
      if (part.equals(DOT) || part.equals(DOT_DOT) || part.indexOf((byte) 0, 0) >= 0) {
        throw new IllegalArgumentException("path \"" + path + "\" is not clean");
      }
    }
    if (length != path.length()) {
      throw new IllegalArgumentException("path \"" + path + "\" is not clean");
    }
    return parts;
  }

  static boolean isDot(Bytes part) {
    return part.equals(DOT);
  }

  static boolean isDotDot(Bytes part) {
    return part.equals(DOT_DOT);
  }
}
