package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.CorruptException;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.core.Repository;

/** Two repositories hold the blob; the one that is asked first gives wrong bytes. */
@Timeout(60)
final class RejectedBytesTest {
  private static final Repository LIAR = Repository.parse("a.example/demo");
  private static final Repository HONEST = Repository.parse("b.example/demo");

  private final Random random = new Random(5);
  private TestCache cache;

  @BeforeEach
  void openCache(@TempDir Path directory) throws IOException {
    cache = new TestCache(directory);
    cache.source.damage((request, answer) -> {
      if (request.holder().orElseThrow().equals(LIAR)) {
        answer[answer.length / 2]++;
      }
    });
  }

  @AfterEach
  void closeCache() throws IOException {
    cache.close();
  }

  private LazyDevice add(TestDevice device) throws IOException {
    cache.source.put(device);
    return cache.cache().add(device.index(), Set.of(LIAR, HONEST));
  }

  private byte[] bytes() {
    return TestDevice.random(random, 8 << 10);
  }

  private List<Repository> asked() {
    return cache.source.requests().stream().map(request -> request.holder().orElseThrow()).toList();
  }

  @Test
  void ensure_wrongBytes_asksTheOtherHolderAtOnce() throws Exception {
    TestDevice expected =
        TestDevice.builder().plain(bytes()).gap(20 << 10).gzip(bytes()).gap(20 << 10).build();
    LazyDevice device = add(expected);
    TestCache.assertRange(device, expected, 0, 1);
    assertThat(asked()).containsExactly(LIAR, HONEST);
    TestCache.assertHolds(device, expected);
    assertThat(asked()).containsExactly(LIAR, HONEST, HONEST);
    assertThat(cache.listener.failures).isEmpty();
  }

  @Test
  void ensure_wrongBytesInManyChunks_rejectsWhoGaveThemAndNobodyElse() throws Exception {
    cache.source.damage((request, answer) -> {
      if (request.holder().orElseThrow().equals(LIAR)) {
        for (int i = 0; i < answer.length; i += 4096) {
          answer[i]++;
        }
      }
    });
    TestDevice.Builder builder = TestDevice.builder();
    for (int i = 0; i < 100; i++) {
      builder.plain(bytes());
    }
    TestDevice expected = builder.build();
    TestCache.assertHolds(add(expected), expected);
    assertThat(asked().getFirst()).isEqualTo(LIAR);
    assertThat(asked().subList(1, asked().size())).hasSize(100).containsOnly(HONEST);
  }

  @Test
  void ensure_bothHoldersLie_rejectsBoth() throws Exception {
    cache.source.damage((request, answer) -> answer[0]++);
    LazyDevice device = add(TestDevice.builder().plain(bytes()).build());
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> device.ensure(0, 1, Lane.DEMAND))
          .isInstanceOf(CorruptException.class);
    }
    assertThat(asked()).containsExactly(LIAR, HONEST, LIAR, HONEST);
  }

  @Test
  void ensure_wholeStreamIsWrong_nextReadAsksTheOtherHolder() throws Exception {
    TestDevice expected = TestDevice.builder().stream(StreamCompression.NONE, 0, bytes());
    LazyDevice device = add(expected);
    assertThatThrownBy(() -> device.ensure(0, 1, Lane.DEMAND)).isInstanceOf(CorruptException.class);
    TestCache.assertHolds(device, expected);
    assertThat(asked()).containsExactly(LIAR, HONEST);
  }
}
