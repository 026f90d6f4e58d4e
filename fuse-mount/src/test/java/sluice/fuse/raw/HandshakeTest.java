package sluice.fuse.raw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import sluice.fuse.FuseRequest;

final class HandshakeTest {

  private static final long ALL = -1L;

  @Test
  void answer_toANewKernel_takesWhatIsWantedAndNoMore() throws IOException {
    InitOut answer = Handshake.answer(offer(7, 45, ALL), 4096, 1 << 20, false);

    assertThat(answer.minor()).isEqualTo(Handshake.MAX_MINOR);
    assertThat(answer.maxBackground()).isEqualTo(4096);
    assertThat(answer.congestionThreshold()).isEqualTo(3072);
    assertThat(answer.maxPages()).isEqualTo(256);
    assertThat(answer.maxReadaheadBytes()).isEqualTo(1 << 20);
    long writeBack = 1 << 16;
    long autoInvalidate = 1 << 12;
    assertThat(answer.flags() & (writeBack | autoInvalidate)).isZero();
    assertThat(answer.flags() & Handshake.ALLOW_IDMAP).isNotZero();
    assertThat(answer.flags() & Handshake.POSIX_ACL).isZero();
  }

  @Test
  void answer_whereFilesHaveAcls_letsTheKernelEnforceThem() throws IOException {
    InitOut answer = Handshake.answer(offer(7, 45, ALL), 4096, 1 << 20, true);

    assertThat(answer.flags() & Handshake.POSIX_ACL).isNotZero();
  }

  @Test
  void answer_toAnOldKernel_takesWhatItOffers() throws IOException {
    long offered = Handshake.NO_OPEN_SUPPORT | Handshake.NO_OPENDIR_SUPPORT | Handshake.ASYNC_READ;

    InitOut answer = Handshake.answer(offer(7, 31, offered), 4096, 1 << 20, false);

    assertThat(answer.minor()).isEqualTo(31);
    assertThat(answer.flags()).isEqualTo(offered);
  }

  @Test
  void answer_withLargePages_asksForNoMoreThanARead() throws IOException {
    assertThat(Handshake.answer(offer(7, 41, ALL), 65_536, 1 << 20, false).maxPages())
        .isEqualTo(16);
  }

  @Test
  void answer_toAKernelThatIsTooOld_isRefused() {
    assertThatThrownBy(() -> Handshake.answer(offer(7, 30, ALL), 4096, 1 << 20, false))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("FUSE 7.30")
        .hasMessageContaining("Linux 5.4");
    assertThatThrownBy(() -> Handshake.answer(offer(7, 31, 0), 4096, 1 << 20, false))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("NO_OPEN");
  }

  private static FuseRequest.Init offer(int major, int minor, long flags) {
    return new FuseRequest.Init(2, major, minor, 128 << 10, flags);
  }
}
