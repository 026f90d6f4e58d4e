package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.CorruptException;

final class PresenceTest {
  private static final int CHUNKS = 200_001;
  private static final UUID BOOT = new UUID(1, 2);
  private static final UUID NEXT_BOOT = new UUID(3, 4);

  private Path path;
  private FileChannel file;

  @BeforeEach
  void create(@TempDir Path directory) throws IOException {
    path = directory.resolve("presence");
    Presence.create(path, CHUNKS, false, BOOT);
    file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  @AfterEach
  void close() throws IOException {
    file.close();
  }

  private Presence open(UUID boot) throws IOException {
    return Presence.open(path, CHUNKS, boot);
  }

  @Test
  void mark_sameBoot_isThereAgain() throws Exception {
    Presence presence = open(BOOT);
    for (int chunk : new int[] {0, 63, 64, 65_536, CHUNKS - 1}) {
      assertThat(presence.mark(chunk, 0, file)).isTrue();
    }
    Presence again = open(BOOT);
    for (int chunk = 0; chunk < CHUNKS; chunk++) {
      assertThat(again.has(chunk)).isEqualTo(presence.has(chunk));
    }
    assertThat(again.presentCount()).isEqualTo(5);
    assertThat(again.synced()).isFalse();
  }

  @Test
  void open_otherBoot_trustsOnlyWhatIsDurable() throws Exception {
    Presence presence = open(BOOT);
    presence.mark(7, 0, file);
    presence.mark(100_000, 0, file);
    long[] snapshot = presence.snapshot();
    presence.mark(8, 0, file);
    presence.makeDurable(snapshot, file);
    Presence next = open(NEXT_BOOT);
    assertThat(next.has(7)).isTrue();
    assertThat(next.has(100_000)).isTrue();
    assertThat(next.has(8)).isFalse();
    assertThat(next.presentCount()).isEqualTo(2);
    assertThat(open(NEXT_BOOT).has(8)).isFalse();
    assertThat(open(BOOT).has(8)).isFalse();
  }

  @Test
  void loseUnsynced_keepsWhatIsDurableAndRefusesWhatWasBeingWritten() throws Exception {
    Presence presence = open(BOOT);
    presence.mark(1, 0, file);
    presence.makeDurable(presence.snapshot(), file);
    presence.mark(2, 0, file);
    int before = presence.losses();
    assertThat(presence.loseUnsynced(file)).isEqualTo(1);
    assertThat(presence.mark(3, before, file)).isFalse();
    assertThat(presence.mark(4, presence.losses(), file)).isTrue();
    for (Presence each : new Presence[] {presence, open(BOOT)}) {
      assertThat(each.has(1)).isTrue();
      assertThat(each.has(2)).isFalse();
      assertThat(each.has(3)).isFalse();
      assertThat(each.has(4)).isTrue();
    }
  }

  @Test
  void clear_chunkInASnapshot_staysCleared() throws Exception {
    Presence presence = open(BOOT);
    presence.mark(1, 0, file);
    presence.mark(2, 0, file);
    long[] snapshot = presence.snapshot();
    presence.clear(1, file);
    presence.makeDurable(snapshot, file);
    Presence next = open(NEXT_BOOT);
    assertThat(next.has(1)).isFalse();
    assertThat(next.has(2)).isTrue();
  }

  @Test
  void create_all_isCompleteButNotDurable() throws Exception {
    Presence.create(path, CHUNKS, true, BOOT);
    assertThat(open(BOOT).complete()).isTrue();
    assertThat(open(NEXT_BOOT).presentCount()).isZero();
  }

  @Test
  void open_damagedFile_isCorrupt() throws Exception {
    byte[] right = Files.readAllBytes(path);
    for (int at : new int[] {0, 7, 8, 12}) {
      byte[] wrong = right.clone();
      wrong[at]++;
      Files.write(path, wrong);
      assertThatThrownBy(() -> open(BOOT)).isInstanceOf(CorruptException.class);
    }
    Files.write(path, Arrays.copyOf(right, right.length - 1));
    assertThatThrownBy(() -> open(BOOT)).isInstanceOf(CorruptException.class);
  }
}
