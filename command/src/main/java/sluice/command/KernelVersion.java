package sluice.command;

import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The first two numbers of a kernel's release, which say what it can do. */
record KernelVersion(int major, int minor) implements Comparable<KernelVersion> {

  /** The oldest FUSE protocol that the server speaks: linux/fuse.h, changelog of 7.31. */
  static final KernelVersion FUSE_7_31 = new KernelVersion(5, 4);

  /** EROFS images in plain files: {@code CONFIG_EROFS_FS_BACKED_BY_FILE}. */
  static final KernelVersion FILE_BACKED_EROFS = new KernelVersion(6, 12);

  /** {@code FAN_PRE_ACCESS}, linux/fanotify.h. */
  static final KernelVersion PRE_CONTENT_EVENTS = new KernelVersion(6, 14);

  private static final Pattern RELEASE = Pattern.compile("(\\d{1,4})\\.(\\d{1,4}).*");
  private static final Comparator<KernelVersion> ORDER =
      Comparator.comparingInt(KernelVersion::major).thenComparingInt(KernelVersion::minor);

  /** Reads what {@code uname -r} says; 0.0 for anything that is no release. */
  static KernelVersion parse(String release) {
    Matcher matcher = RELEASE.matcher(release);
    return matcher.matches()
        ? new KernelVersion(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)))
        : new KernelVersion(0, 0);
  }

  boolean has(KernelVersion since) {
    return compareTo(since) >= 0;
  }

  @Override
  public int compareTo(KernelVersion other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return major + "." + minor;
  }
}
