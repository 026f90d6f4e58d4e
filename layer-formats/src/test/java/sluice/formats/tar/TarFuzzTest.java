package sluice.formats.tar;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.CorruptException;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.LazyDevice;
import sluice.core.Repository;
import sluice.erofs.LayerTree;
import sluice.formats.record.Recording;
import sluice.formats.tar.TarBuilder.Header;

/** Any bytes as a tar stream: unpacked or refused, in bounded time and room. */
class TarFuzzTest {

  /** A sparse map says a run of data, which has a piece of the device, in no fewer bytes. */
  private static final int MIN_BYTES_FOR_A_PIECE = 4;

  static Stream<byte[]> seeds() {
    return Stream.of(
        new byte[0],
        new TarBuilder()
            .directory("d/")
            .file("d/f", "content")
            .header(new Header("d/l", '2').link("../x"))
            .header(new Header("h", '1').link("d/f"))
            .header(new Header("c", '3').octal(329, 8, 1).octal(337, 8, 3))
            .file("d/.wh.gone", "")
            .file("d/.wh..wh..opq", "")
            .build(),
        new TarBuilder()
            .pax('g', "comment=c")
            .pax('x', "path=p", "mtime=-1.5", "uid=70000", "SCHILY.xattr.user.a=b")
            .file("f", "x")
            .gnuLong('L', "l".repeat(150))
            .header(new Header("l", '0').gnu().base256(136, 12, -5))
            .build(),
        new TarBuilder()
            .pax('x', "GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.realsize=2000")
            .entry(new Header("s", '0'), Arrays.copyOf(TarBuilder.latin("2\n0\n1\n1500\n1\n"), 514))
            .pax('x', "GNU.sparse.size=1500", "GNU.sparse.numblocks=1", "GNU.sparse.map=2,3")
            .file("t", "abc")
            .entry(
                new Header("g", 'S').gnu().octal(386, 12, 2).octal(398, 12, 3).octal(483, 12, 900),
                TarBuilder.latin("abc"))
            .build());
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "10m")
  void run_anyBytes(byte[] tar) throws IOException {
    repairChecksums(tar);
    CountingStage staged = new CountingStage();
    TarInput input = TarStreams.input(tar);
    TarUnpack unpack =
        new TarUnpack(
            new TarReader(input, bytes -> {}),
            input,
            new LayerTree("layer x"),
            new DeviceWriter(staged, new PlacementTable(bytes -> {}), bytes -> {}),
            Recording.NONE);
    try {
      unpack.run();
    } catch (CorruptException e) {
      assertThat(e).hasMessageContaining("resource=layer x");
    }
    assertThat(staged.bytes)
        .isLessThanOrEqualTo((tar.length / MIN_BYTES_FOR_A_PIECE + 1L) * DeviceWriter.PIECE_BYTES);
  }

  /** A fuzzer does not find checksums; each block that could be a header gets the right one. */
  private static void repairChecksums(byte[] tar) {
    for (int at = 0; at + 512 <= tar.length; at += 512) {
      if (tar[at + 257] != 'u' && tar[at + 148] == 0) {
        continue;
      }
      Arrays.fill(tar, at + 148, at + 156, (byte) ' ');
      long sum = 0;
      for (int i = at; i < at + 512; i++) {
        sum += tar[i] & 0xff;
      }
      byte[] text = TarBuilder.latin("%06o\0 ".formatted(sum));
      System.arraycopy(text, 0, tar, at + 148, text.length);
    }
  }

  /** Counts what a device would hold. */
  private static final class CountingStage implements DeviceStore.Staged {
    private long bytes;

    @Override
    public void write(ByteBuffer data, long deviceOffset) {
      assertThat(deviceOffset).as("devices fill without gaps").isEqualTo(bytes);
      bytes += data.remaining();
    }

    @Override
    public LazyDevice finish(DeviceIndex index, Set<Repository> holders) {
      throw new AssertionError("unpacking does not finish devices");
    }

    @Override
    public void close() {}
  }
}
