package sluice.erofs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import sluice.core.Bytes;

class NounsTest {

  @Test
  void deviceNumber_encodesAsTheKernelDoes() {
    assertThat(new DeviceNumber(1, 3).encoded()).isEqualTo(0x103);
    assertThat(new DeviceNumber(0xfff, 0xfffff).encoded()).isEqualTo(0xffff_ffffL);
    assertThat(new DeviceNumber(8, 0x12345).encoded()).isEqualTo(0x12300845L);
    for (int minor : new int[] {0, 255, 256, 0xfffff}) {
      DeviceNumber number = new DeviceNumber(259, minor);
      assertThat(DeviceNumber.decode(number.encoded())).isEqualTo(number);
    }
    assertThatThrownBy(() -> new DeviceNumber(4096, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void clean_endsWithinTheTree() {
    assertThat(clean("./a//b/")).isEqualTo("a/b");
    assertThat(clean("../../etc")).isEqualTo("etc");
    assertThat(clean("a/../../b")).isEqualTo("b");
    assertThat(clean("./")).isEmpty();
    assertThat(TreePath.clean(Bytes.utf8("a\0b"))).isEmpty();
  }

  @Test
  void fileContent_refusesExtentsOutOfOrder() {
    assertThat(FileContent.contiguous(5000, 1, 4096).extents())
        .containsExactly(new Extent(0, 5000, 1, 4096));
    List<Extent> overlap = List.of(new Extent(0, 8192, 0, 0), new Extent(4096, 4096, 0, 0));
    List<Extent> odd = List.of(new Extent(0, 100, 0, 0), new Extent(4096, 4096, 0, 0));
    List<Extent> beyond = List.of(new Extent(0, 8192, 0, 0));
    for (List<Extent> bad : List.of(overlap, odd)) {
      assertThatThrownBy(() -> new FileContent(8192, bad))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> new FileContent(8191, beyond))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Extent(1, 1, 0, 0)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void attributes_refuseWhatNoInodeCanHold() {
    assertThatThrownBy(() -> new Attributes(0644, 1L << 32, 0, 0, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Attributes(0644, 0, 0, 0, 1_000_000_000))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static String clean(String name) {
    return TreePath.clean(Bytes.utf8(name)).orElseThrow().toString();
  }
}
