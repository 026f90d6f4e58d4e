package sluice.snapshotter.image;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import sluice.core.Platform;

final class PlatformOrderTest {

  private static int rank(String host, String offered) {
    return new PlatformOrder(Platform.parse(host)).rank(Platform.parse(offered));
  }

  @Test
  void rank_amd64_takesItselfThenOlderVariantsThen386() {
    assertThat(rank("linux/amd64", "linux/amd64")).isZero();
    assertThat(rank("linux/amd64", "linux/amd64/v1")).isZero();
    assertThat(rank("linux/amd64/v3", "linux/amd64/v3")).isZero();
    assertThat(rank("linux/amd64/v3", "linux/amd64")).isEqualTo(2);
    assertThat(rank("linux/amd64", "linux/amd64/v2")).isEqualTo(PlatformOrder.NO_MATCH);
    assertThat(rank("linux/amd64", "linux/386")).isEqualTo(1);
  }

  @Test
  void rank_arm64_takesArmInFallingVariants() {
    assertThat(rank("linux/arm64", "linux/arm64/v8")).isZero();
    assertThat(rank("linux/arm64/v8", "linux/aarch64")).isZero();
    assertThat(rank("linux/arm64", "linux/arm/v7")).isLessThan(rank("linux/arm64", "linux/arm/v6"));
    assertThat(rank("linux/arm64", "linux/amd64")).isEqualTo(PlatformOrder.NO_MATCH);
  }

  @Test
  void rank_arm_withoutVariantIsV7() {
    assertThat(rank("linux/arm", "linux/arm/v7")).isZero();
    assertThat(rank("linux/arm/v6", "linux/arm/v7")).isEqualTo(PlatformOrder.NO_MATCH);
    assertThat(rank("linux/arm/v7", "linux/arm/v5")).isEqualTo(2);
  }

  @Test
  void rank_otherArchitectures_matchThemselves() {
    assertThat(rank("linux/riscv64", "linux/riscv64")).isZero();
    assertThat(rank("linux/ppc64le", "linux/ppc64")).isEqualTo(PlatformOrder.NO_MATCH);
    assertThat(rank("linux/amd64", "unknown/unknown")).isEqualTo(PlatformOrder.NO_MATCH);
    assertThat(rank("linux/amd64", "windows/amd64")).isEqualTo(PlatformOrder.NO_MATCH);
  }
}
