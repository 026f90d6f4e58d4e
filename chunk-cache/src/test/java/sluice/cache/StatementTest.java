package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.CorruptException;
import sluice.core.Lane;
import sluice.core.LazyDevice;

/** Chunks whose digests are right, and that are not what their index states of them. */
@Timeout(60)
final class StatementTest {
  private static final int CHUNK_BYTES = 8 << 10;

  private final Random random = new Random(7);
  private TestCache cache;

  @BeforeEach
  void openCache(@TempDir Path directory) throws IOException {
    cache = new TestCache(directory);
    cache.statements =
        (statement, decoded, resource) -> {
          if (statement.get(0) != decoded.get(0)) {
            throw new CorruptException(
                "test: %d, stated %d".formatted(decoded.get(0), statement.get(0)), resource, 77);
          }
        };
  }

  @AfterEach
  void closeCache() throws IOException {
    cache.close();
  }

  private byte[] bytes() {
    byte[] bytes = TestDevice.random(random, CHUNK_BYTES);
    bytes[0] = 5;
    return bytes;
  }

  @Test
  void ensure_asStated_isServed() throws Exception {
    TestDevice expected =
        TestDevice.builder()
            .stated(bytes(), (byte) 5)
            .span(bytes())
            .stated(bytes(), (byte) 5)
            .build();
    TestCache.assertHolds(cache.add(expected), expected);
    assertThat(cache.listener.failures).isEmpty();
  }

  @Test
  void ensure_notAsStated_isRefusedAndNothingIsKept() throws Exception {
    TestDevice lying =
        TestDevice.builder().stated(bytes(), (byte) 5).stated(bytes(), (byte) 6).build();
    LazyDevice device = cache.add(lying);
    for (int i = 1; i <= 2; i++) {
      assertThatThrownBy(() -> device.ensure(CHUNK_BYTES, CHUNK_BYTES, Lane.DEMAND))
          .isInstanceOf(CorruptException.class)
          .hasMessageContainingAll(
              "chunk 1, bytes ",
              "is not what its index says: test: 5, stated 6",
              "offset=77",
              "resource=blob " + lying.index().blob());
      // Nobody has better bytes: each read asks once.
      assertThat(cache.source.requests()).hasSize(i);
      assertThat(cache.listener.failures).containsOnly(CacheListener.Failure.VERIFY).hasSize(i);
    }
    assertThat(device.present(CHUNK_BYTES, 1)).isFalse();
    TestCache.assertRange(device, lying, 0, CHUNK_BYTES);
  }

  @Test
  void ensure_reopenedCache_comparesStill() throws Exception {
    TestDevice lying = TestDevice.builder().stated(bytes(), (byte) 6).build();
    LazyDevice device = cache.add(lying);
    cache.reopen();
    LazyDevice again = cache.cache().open(device.id());
    assertThatThrownBy(() -> again.ensure(0, 1, Lane.DEMAND))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("stated 6");
  }

  @Test
  void ensure_wrongBytesFirst_comparesTheSecondAnswer() throws Exception {
    TestDevice lying = TestDevice.builder().stated(bytes(), (byte) 6).build();
    LazyDevice device = cache.add(lying);
    cache.source.damage((request, answer) -> {
      if (cache.source.requests().size() == 1) {
        answer[answer.length / 2]++;
      }
    });
    assertThatThrownBy(() -> device.ensure(0, 1, Lane.DEMAND))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("stated 6");
    assertThat(cache.source.requests()).hasSize(2);
    assertThat(device.present(0, 1)).isFalse();
  }
}
