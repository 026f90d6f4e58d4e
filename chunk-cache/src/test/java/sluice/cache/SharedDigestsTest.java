package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class SharedDigestsTest {
  private final Random random = new Random(2);
  private final List<DigestIndex> all = new ArrayList<>();
  private final SharedDigests shared = new SharedDigests(() -> all);

  private DigestIndex add(int... prefixes) {
    MemorySegment entries = MemorySegment.ofArray(new long[prefixes.length]);
    for (int i = 0; i < prefixes.length; i++) {
      long entry = ((long) prefixes[i] << Integer.SIZE) | i;
      entries.setAtIndex(ValueLayout.JAVA_LONG, i, entry);
    }
    DigestIndex digests = new DigestIndex(entries);
    shared.add(digests);
    all.add(digests);
    return digests;
  }

  @Test
  void mayHave_prefixOfTwoDevices_isTrue() {
    int one = 17 << 20;
    int two = -5 << 20;
    int three = 3 << 20;
    add(one, two, 0);
    assertThat(shared.mayHave(one)).isFalse();
    add(three, one, two);
    assertThat(shared.mayHave(one)).isTrue();
    assertThat(shared.mayHave(two)).isTrue();
    assertThat(shared.mayHave(three)).isFalse();
  }

  @Test
  void mayHave_prefixTwiceInOneDevice_isTrue() {
    add(1 << 30, 1 << 30);
    assertThat(shared.mayHave(1 << 30)).isTrue();
  }

  @Test
  void mayHave_afterGrowth_knowsAllAndRarelyErrs() {
    int[] first = random.ints(100_000).toArray();
    add(first);
    add(random.ints(300_000).toArray());
    add(first);
    for (int prefix : first) {
      assertThat(shared.mayHave(prefix)).isTrue();
    }
    long wrong = random.ints(100_000).filter(shared::mayHave).count();
    assertThat(wrong).isLessThan(15_000);
  }

  @Test
  void mayHave_deletedDevices_areForgottenByGrowth() {
    int[] gone = random.ints(50_000).toArray();
    all.remove(add(gone));
    all.remove(add(gone));
    for (int i = 0; i < 4; i++) {
      add(random.ints(50_000).toArray());
    }
    long known = Arrays.stream(gone).filter(shared::mayHave).count();
    assertThat(known).isLessThan(10_000);
  }
}
