package sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;

final class SignalsTest {

  @Test
  void dying_withAKillWaiting_isTrue() {
    assertThat(Signals.dying(status("0000000000000100", "0000000000000000", "fffffffe7ffbfeff")))
        .isTrue();
  }

  @Test
  void dying_withASignalThatIsCaught_isFalse() {
    long sigusr1 = 1L << 9;
    assertThat(Signals.dying(status(hex(sigusr1), hex(0), hex(sigusr1)))).isFalse();
    assertThat(Signals.dying(status(hex(0), hex(sigusr1), hex(sigusr1)))).isFalse();
    assertThat(Signals.dying(status(hex(0), hex(sigusr1), hex(0)))).isTrue();
  }

  @Test
  void dying_withASignalThatOnlyStops_isFalse() {
    long sigstop = 1L << 18;
    assertThat(Signals.dying(status(hex(sigstop), hex(0), hex(0)))).isFalse();
  }

  @Test
  void dying_ofThisProcess_isFalse_andOfNone_isTrue() {
    assertThat(Signals.dying((int) ProcessHandle.current().pid())).isFalse();
    assertThat(Signals.dying(Integer.MAX_VALUE)).isTrue();
  }

  @Test
  void mountTable_ofALineWithOptionalFields_isParsed() {
    assertThat(
            MountTable.parse(
                "36 35 98:0 / /mnt/a\\040b rw,noatime master:1 shared:2 - fuse.sluice sluice ro"))
        .isEqualTo(Optional.of(new MountTable.Entry("98:0", "/mnt/a b", "fuse.sluice", "ro")));
    assertThat(MountTable.parse("36 35 98:0 / /mnt")).isEmpty();
  }

  private static String status(String thread, String process, String caught) {
    return "Name:\tx\nSigPnd:\t%s\nShdPnd:\t%s\nSigBlk:\t%s\nSigIgn:\t%s\nSigCgt:\t%s\n"
        .formatted(thread, process, hex(0), hex(0), caught);
  }

  private static String hex(long mask) {
    return "%016x".formatted(mask);
  }
}
