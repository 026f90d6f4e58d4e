package sluice.testing;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.assertj.core.api.AbstractAssert;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;

/** Asserts that a tree is another one, but for what a format is known to drop. */
public final class ListingAssert extends AbstractAssert<ListingAssert, Tree> {

  /** What a format or a way of mounting does not keep. */
  public enum Loss {
    /** Times are cut off to whole seconds. */
    NANOSECONDS,
    /** Times are rounded to whole seconds, half a second up. */
    ROUNDED_TIMES,
    /** Times before 1970 are 0. */
    TIMES_BEFORE_1970,
    /** Times mean nothing. */
    TIMES,
    /** There are no xattrs named {@code trusted.…}. */
    TRUSTED_XATTRS,
    /** There are no xattrs with empty values. */
    EMPTY_XATTRS,
    /**
     * The link count is not that of the names in this tree; the groups of equal inodes are still
     * compared.
     */
    LINK_COUNTS
  }

  /** A tree that is all wrong should not fill the screen. */
  private static final int SHOWN_DIFFERENCES = 40;

  private static final int HALF_SECOND = 500_000_000;

  private static final Bytes TRUSTED = Bytes.utf8("trusted.");

  private final Set<Loss> losses = EnumSet.noneOf(Loss.class);
  private final Set<Bytes> anyTime = new TreeSet<>();

  private ListingAssert(Tree actual) {
    super(actual, ListingAssert.class);
  }

  /** Begins an assertion on {@code actual}. */
  public static ListingAssert assertThatTree(Tree actual) {
    return new ListingAssert(actual);
  }

  /** Does not hold against the actual tree what {@code loss} names. */
  public ListingAssert losing(Loss... loss) {
    losses.addAll(List.of(loss));
    return this;
  }

  /** Ignores the times of these paths; the empty path is the root. */
  public ListingAssert ignoringTimesOf(String... paths) {
    for (String path : paths) {
      anyTime.add(Bytes.utf8(path));
    }
    return this;
  }

  /** Fails with a line for each difference unless the trees are equal. */
  public ListingAssert isTree(Tree expected) {
    isNotNull();
    List<String> differences = differences(expected);
    if (!differences.isEmpty()) {
      failWithMessage(
          "%d differences%n%s",
          differences.size(),
          String.join(
              System.lineSeparator(),
              differences.subList(0, Math.min(differences.size(), SHOWN_DIFFERENCES))));
    }
    return this;
  }

  /** One line for each difference, by path. */
  List<String> differences(Tree expected) {
    SortedMap<Bytes, TreeEntry> found = actual.entries();
    SortedMap<Bytes, TreeEntry> wanted = expected.entries();
    Map<Bytes, Integer> foundNames = names(found);
    SortedMap<Bytes, String> lines = new TreeMap<>();
    wanted.forEach((path, entry) -> {
      TreeEntry other = found.get(path);
      String difference =
          other == null
              ? "missing, expected " + entry.type()
              : difference(path, other, entry, foundNames);
      if (!difference.isEmpty()) {
        lines.put(path, difference);
      }
    });
    found.forEach((path, entry) -> {
      if (!wanted.containsKey(path)) {
        lines.put(path, "not expected, found " + entry.type());
      }
    });
    List<String> differences = new ArrayList<>();
    lines.forEach((path, line) -> differences.add(readable(path) + ": " + line));
    return differences;
  }

  private String difference(
      Bytes path, TreeEntry found, TreeEntry wanted, Map<Bytes, Integer> foundNames) {
    List<String> fields = new ArrayList<>();
    field(fields, "type", found.type(), wanted.type());
    field(fields, "mode", octal(found.mode()), octal(wanted.mode()));
    field(fields, "uid", found.uid(), wanted.uid());
    field(fields, "gid", found.gid(), wanted.gid());
    field(fields, "size", found.size(), wanted.size());
    field(fields, "target", readable(found.target()), readable(wanted.target()));
    field(fields, "device", found.device(), wanted.device());
    field(fields, "same", readable(found.same()), readable(wanted.same()));
    if (losses.contains(Loss.LINK_COUNTS)) {
      field(fields, "names", (long) foundNames.getOrDefault(found.same(), 0), wanted.nlink());
    } else {
      field(fields, "nlink", found.nlink(), wanted.nlink());
    }
    field(fields, "xattrs", readable(found.xattrs()), readable(kept(wanted.xattrs())));
    field(fields, "content", found.content(), wanted.content());
    Timestamp mtime = wanted.mtime();
    if (mtime != null && !losses.contains(Loss.TIMES) && !anyTime.contains(path)) {
      field(fields, "mtime", found.mtime(), kept(mtime));
    }
    return String.join(", ", fields);
  }

  private static void field(
      List<String> fields, String name, @Nullable Object found, @Nullable Object wanted) {
    if (!Objects.equals(found, wanted)) {
      fields.add("%s %s, expected %s".formatted(name, found, wanted));
    }
  }

  private Timestamp kept(Timestamp time) {
    if (losses.contains(Loss.TIMES_BEFORE_1970) && time.seconds() < 0) {
      return new Timestamp(0, 0);
    }
    if (losses.contains(Loss.ROUNDED_TIMES)) {
      return new Timestamp(time.nanos() < HALF_SECOND ? time.seconds() : time.seconds() + 1, 0);
    }
    return losses.contains(Loss.NANOSECONDS) ? new Timestamp(time.seconds(), 0) : time;
  }

  private SortedMap<Bytes, Bytes> kept(SortedMap<Bytes, Bytes> xattrs) {
    SortedMap<Bytes, Bytes> kept = new TreeMap<>(xattrs);
    if (losses.contains(Loss.TRUSTED_XATTRS)) {
      kept.keySet().removeIf(name -> name.startsWith(TRUSTED));
    }
    if (losses.contains(Loss.EMPTY_XATTRS)) {
      kept.values().removeIf(value -> value.length() == 0);
    }
    return kept;
  }

  /** How many names each inode has in this tree, by the first of them. */
  private static Map<Bytes, Integer> names(SortedMap<Bytes, TreeEntry> entries) {
    Map<Bytes, Integer> names = new HashMap<>();
    entries.values().forEach(entry -> names.merge(entry.same(), 1, Integer::sum));
    return names;
  }

  private static String octal(int mode) {
    return "%04o".formatted(mode);
  }

  private static String readable(SortedMap<Bytes, Bytes> xattrs) {
    List<String> lines = new ArrayList<>();
    xattrs.forEach((name, value) -> lines.add(readable(name) + '=' + readable(value)));
    return lines.toString();
  }

  /** Printable ASCII as it is, all else and {@code %} as {@code %XX}; the empty path as /. */
  private static String readable(@Nullable Bytes bytes) {
    if (bytes == null) {
      return "none";
    }
    StringBuilder text = new StringBuilder();
    for (byte b : bytes.toArray()) {
      if (b > ' ' && b < 0x7f && b != '%') {
        text.append(new String(new byte[] {b}, StandardCharsets.US_ASCII));
      } else {
        text.append("%%%02X".formatted(b));
      }
    }
    return text.isEmpty() ? "/" : text.toString();
  }
}
