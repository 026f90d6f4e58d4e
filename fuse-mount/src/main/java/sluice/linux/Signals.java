package sluice.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What signals a thread of another process has waiting, from {@code /proc/PID/status} (proc(5)).
 */
public final class Signals {

  /**
   * Signals whose default is not to end the process: SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN,
   * SIGTTOU, SIGURG, SIGWINCH (signal(7); numbers of x86 and ARM).
   */
  private static final long HARMLESS =
      bit(17) | bit(18) | bit(19) | bit(20) | bit(21) | bit(22) | bit(23) | bit(28);

  private Signals() {}

  /**
   * Whether a signal is waiting that will end the thread's process as soon as it can be delivered.
   * A thread that is gone counts as dying.
   *
   * @param pid a thread of any process
   */
  public static boolean dying(int pid) {
    try {
      byte[] status = Files.readAllBytes(Path.of("/proc", Integer.toString(pid), "status"));
      return dying(new String(status, StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      // No such file, or ESRCH if it ended between open and read.
      return true;
    }
  }

  static boolean dying(String status) {
    long pending = mask(status, "SigPnd:") | mask(status, "ShdPnd:");
    long handled = mask(status, "SigBlk:") | mask(status, "SigIgn:") | mask(status, "SigCgt:");
    return (pending & ~handled & ~HARMLESS) != 0;
  }

  private static long mask(String status, String field) {
    return status
        .lines()
        .filter(line -> line.startsWith(field))
        .findFirst()
        .map(line -> Long.parseUnsignedLong(line.substring(field.length()).strip(), 16))
        .orElse(0L);
  }

  private static long bit(int signal) {
    return 1L << (signal - 1);
  }
}
