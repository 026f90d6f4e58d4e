package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Lane;
import sluice.core.LazyDevice;

final class DeviceCheckTest {

  private static final int CHUNK = 10_000;
  private static final int CHUNKS = 20;

  private TestCache cache;
  private TestDevice expected;
  private LazyDevice device;

  @BeforeEach
  void openCache(@TempDir Path directory) throws IOException {
    cache = new TestCache(directory.resolve("devices"));
    Random random = new Random(11);
    TestDevice.Builder builder = TestDevice.builder();
    for (int i = 0; i < CHUNKS; i++) {
      builder.plain(TestDevice.random(random, CHUNK));
    }
    expected = builder.span(TestDevice.random(random, CHUNK)).build();
    device = cache.add(expected);
  }

  @AfterEach
  void closeCache() throws IOException {
    cache.close();
  }

  @Test
  void check_whatIsPresent_isSound() throws Exception {
    device.ensure(0, 1, Lane.DEMAND);
    int present = entry().presentChunks();
    assertThat(present).isPositive();
    Heard heard = new Heard();
    CheckReport report = cache.cache().check(device.id(), heard);
    assertThat(report.sound() + report.unverifiable()).isEqualTo(present);
    assertThat(report.bad()).isEmpty();
    assertThat(heard.bytes).isEqualTo((long) report.sound() * CHUNK);
  }

  @Test
  void check_spanUnderItsEncodedDigest_isNotCalledSound() throws Exception {
    device.ensure(0, device.lengthBytes(), Lane.DEMAND);
    assertThat(cache.cache().check(device.id(), CheckReport.Listener.NONE))
        .isEqualTo(new CheckReport(device.id(), CHUNKS, 1, List.of()));
  }

  @Test
  void check_damagedData_saysWhatAndFetchesItAgain() throws Exception {
    device.ensure(0, device.lengthBytes(), Lane.DEMAND);
    damage(3 * CHUNK + 7);
    Heard heard = new Heard();
    CheckReport report = cache.cache().check(device.id(), heard);
    assertThat(report.sound()).isEqualTo(CHUNKS - 1);
    assertThat(report.bad()).hasSize(1).isEqualTo(heard.bad);
    CheckReport.Bad bad = report.bad().getFirst();
    assertThat(bad.number()).isEqualTo(3);
    assertThat(bad.blob()).isEqualTo(expected.index().blob());
    assertThat(bad.deviceOffset()).isEqualTo(3 * CHUNK);
    assertThat(bad.lengthBytes()).isEqualTo(CHUNK);
    assertThat(bad.found()).isNotEqualTo(bad.expected());
    assertThat(bad.toString()).contains(bad.expected().toString(), bad.found().toString());
    assertThat(device.present(3 * CHUNK, 1)).isFalse();
    TestCache.assertHolds(device, expected);
    assertThat(cache.cache().check(device.id(), heard).bad()).isEmpty();
  }

  @Test
  void check_damagedData_isStillMissingAfterARestart() throws Exception {
    device.ensure(0, device.lengthBytes(), Lane.DEMAND);
    damage(0);
    assertThat(cache.cache().check(device.id(), CheckReport.Listener.NONE).bad()).hasSize(1);
    cache.reopen();
    assertThat(cache.cache().open(device.id()).present(0, 1)).isFalse();
    assertThat(entry().presentChunks()).isEqualTo(CHUNKS);
  }

  @Test
  void retain_deviceThatIsChecked_stays() throws Exception {
    device.ensure(0, device.lengthBytes(), Lane.DEMAND);
    damage(0);
    CheckReport.Listener deleting =
        new CheckReport.Listener() {
          @Override
          public void hashed(long bytes) {
            try {
              cache.cache().retain(List.of());
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          }

          @Override
          public void found(CheckReport.Bad wrong) {}
        };
    assertThat(cache.cache().check(device.id(), deleting).bad()).hasSize(1);
    assertThat(cache.cache().open(device.id())).isSameAs(device);
    TestCache.assertHolds(device, expected);
  }

  @Test
  void check_interrupted_endsEarlyAndLeavesTheFilesOpen() throws Exception {
    device.ensure(0, device.lengthBytes(), Lane.DEMAND);
    Heard heard = new Heard();
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> cache.cache().check(device.id(), heard))
        .isInstanceOf(InterruptedException.class);
    assertThat(Thread.interrupted()).isFalse();
    TestCache.assertHolds(device, expected);
    assertThat(cache.cache().check(device.id(), heard).sound()).isEqualTo(CHUNKS);
  }

  @Test
  void report_countsDataAndWhatIsThere() throws Exception {
    assertThat(entry().dataBytes()).isEqualTo((CHUNKS + 1) * CHUNK);
    assertThat(entry().presentBytes()).isZero();
    device.ensure(0, device.lengthBytes(), Lane.DEMAND);
    assertThat(entry().presentBytes()).isEqualTo(entry().dataBytes());
    assertThat(cache.cache().occupiedBytes()).isEqualTo(entry().occupiedBytes());
    damage(5 * CHUNK);
    assertThat(cache.cache().check(device.id(), CheckReport.Listener.NONE).bad()).hasSize(1);
    assertThat(entry().presentBytes()).isEqualTo(CHUNKS * CHUNK);
  }

  private CacheReport.Entry entry() throws IOException {
    return cache.cache().report().devices().getFirst();
  }

  private void damage(long offset) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(device.file().toFile(), "rw")) {
      file.seek(offset);
      file.write(~expected.content()[(int) offset]);
    }
  }

  private static final class Heard implements CheckReport.Listener {
    private final List<CheckReport.Bad> bad = new ArrayList<>();
    private long bytes;

    @Override
    public synchronized void hashed(long lengthBytes) {
      bytes += lengthBytes;
    }

    @Override
    public synchronized void found(CheckReport.Bad wrong) {
      bad.add(wrong);
    }
  }
}
