package sluice.fuse.raw;

import java.io.IOException;
import sluice.fuse.FuseRequest;
import sluice.linux.Errno;
import sluice.linux.LinuxException;

/**
 * What is agreed in {@code FUSE_INIT}: of what the kernel offers, all that makes a read-only file
 * system whose content never changes fast.
 */
final class Handshake {

  /** Linux 5.4: everything from there on has NO_OPENDIR, CACHE_SYMLINKS and MAX_PAGES. */
  static final int MIN_MINOR = 31;

  /** The newest protocol of which anything is used here (FUSE_ALLOW_IDMAP, Linux 6.12). */
  static final int MAX_MINOR = 41;

  // linux/fuse.h, INIT flags
  static final long ASYNC_READ = 1;
  static final long EXPORT_SUPPORT = 1 << 4;
  static final long DO_READDIRPLUS = 1 << 13;
  static final long READDIRPLUS_AUTO = 1 << 14;
  static final long NO_OPEN_SUPPORT = 1 << 17;
  static final long PARALLEL_DIROPS = 1 << 18;
  static final long POSIX_ACL = 1 << 20;
  static final long MAX_PAGES = 1 << 22;
  static final long CACHE_SYMLINKS = 1 << 23;
  static final long NO_OPENDIR_SUPPORT = 1 << 24;
  static final long EXPLICIT_INVAL_DATA = 1 << 25;
  static final long INIT_EXT = 1 << 30;
  static final long HAS_RESEND = 1L << 39;
  static final long ALLOW_IDMAP = 1L << 40;

  /**
   * Not ASYNC_DIO: with it the kernel waits for an O_DIRECT read in a way that no signal ends, and
   * sends no INTERRUPT, so that a reader whose data does not come could not be killed.
   */
  private static final long WANTED =
      ASYNC_READ
          | EXPORT_SUPPORT
          | DO_READDIRPLUS
          | READDIRPLUS_AUTO
          | NO_OPEN_SUPPORT
          | PARALLEL_DIROPS
          | MAX_PAGES
          | CACHE_SYMLINKS
          | NO_OPENDIR_SUPPORT
          | EXPLICIT_INVAL_DATA
          | INIT_EXT
          | HAS_RESEND
          | ALLOW_IDMAP;

  /** Without these OPEN and OPENDIR could not be declined. */
  private static final long NEEDED = NO_OPEN_SUPPORT | NO_OPENDIR_SUPPORT;

  /**
   * Read-aheads that may wait at once. All images share them: with the kernel's default of 12 one
   * image whose registry hangs would stop the read-ahead of all others.
   */
  static final int MAX_BACKGROUND = 4096;

  static final int CONGESTION_THRESHOLD = 3072;

  /** Nothing is written, so the least that the kernel takes: its requests stay small. */
  static final int MAX_WRITE_BYTES = 4096;

  private Handshake() {}

  /**
   * Answers the kernel's offer.
   *
   * @param pageBytes of this machine: requests are counted in pages
   * @param maxReadBytes the most that one READ asks for
   * @param acls whether the kernel is to enforce POSIX ACLs; it asks for those of each file then
   * @throws IOException if the kernel's protocol is too old
   */
  static InitOut answer(FuseRequest.Init offer, int pageBytes, int maxReadBytes, boolean acls)
      throws IOException {
    if (offer.major() != InitOut.MAJOR || offer.minor() < MIN_MINOR) {
      throw refused(offer, "it speaks another protocol");
    }
    if ((offer.flags() & NEEDED) != NEEDED) {
      throw refused(offer, "it lacks NO_OPEN or NO_OPENDIR");
    }
    return new InitOut(
        Math.min(offer.minor(), MAX_MINOR),
        Math.max(offer.maxReadaheadBytes(), maxReadBytes),
        offer.flags() & (acls ? WANTED | POSIX_ACL : WANTED),
        MAX_BACKGROUND,
        CONGESTION_THRESHOLD,
        MAX_WRITE_BYTES,
        Math.max(1, maxReadBytes / pageBytes));
  }

  private static IOException refused(FuseRequest.Init offer, String why) {
    return new LinuxException(
        "FUSE_INIT: the kernel's FUSE %d.%d can't be used, %s; 7.%d (Linux 5.4) or newer is needed"
            .formatted(offer.major(), offer.minor(), why, MIN_MINOR),
        Errno.EPROTO);
  }
}
