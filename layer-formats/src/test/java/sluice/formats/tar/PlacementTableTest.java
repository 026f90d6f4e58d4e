package sluice.formats.tar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.Digest;
import sluice.core.Placement;

class PlacementTableTest {

  private static final int ROOM = 3;

  private long asked;

  private final PlacementTable table =
      new PlacementTable(bytes -> {
        if (asked + bytes > ROOM * PlacementTable.RUN_BYTES) {
          throw new IOException("no room");
        }
        asked += bytes;
      });

  @Test
  void add_asksForRunsBesideTheFirstOfEachFile() throws IOException {
    for (int file = 0; file < 1000; file++) {
      table.add(file * 512L, file * 4096L, 1);
      table.endFile();
    }
    assertThat(asked).isZero();
    for (int run = 0; run <= ROOM; run++) {
      table.add((2000 + run) * 512L, (2000 + run) * 4096L, 1);
    }
    assertThat(asked).isEqualTo(ROOM * PlacementTable.RUN_BYTES);
    assertThatThrownBy(() -> table.add(3000 * 512L, 3000 * 4096L, 1)).hasMessage("no room");
    assertThat(chunk().placements()).hasSize(1000 + ROOM + 1);
  }

  @Test
  void add_whatGoesOnInBothSpaces_isOneRun() throws IOException {
    for (int i = 0; i < 100; i++) {
      table.add(512 + i, i, 1);
    }
    assertThat(chunk().placements()).containsExactly(new Placement(512, 100, 0, null));
  }

  @Test
  void chunks_makesPlacementsWhenTheyAreAskedFor() throws IOException {
    table.add(512, 0, 1);
    Chunk chunk = chunk();
    assertThat(chunk.placements().getFirst()).isNotSameAs(chunk.placements().getFirst());
  }

  private Chunk chunk() {
    return table
        .chunks(StreamCompression.ZSTD, Digest.sha256(new byte[0]), 1, 1 << 30)
        .iterator()
        .next();
  }
}
