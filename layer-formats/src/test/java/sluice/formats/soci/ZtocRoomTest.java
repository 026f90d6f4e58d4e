package sluice.formats.soci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.LayerFormat;
import sluice.formats.entry.EntryLimits;
import sluice.formats.testing.BlobSource;
import sluice.formats.testing.PlainDevices;
import sluice.testing.Fixtures;

@Timeout(60)
class ZtocRoomTest {

  @TempDir Path directory;

  @Test
  void take_goesByTheItems() throws InterruptedException {
    ZtocRoom room = new ZtocRoom();
    assertThat(room.take(0)).isEqualTo(1);
    assertThat(room.take(ZtocRoom.SHARE)).isEqualTo(2);
    assertThat(room.free()).isEqualTo(ZtocRoom.SHARES - 3);
    assertThat(new ZtocRoom().take(EntryLimits.MAX_ENTRIES)).isBetween(60, ZtocRoom.SHARES);
    assertThat(new ZtocRoom().take(Long.MAX_VALUE)).isEqualTo(ZtocRoom.SHARES);
  }

  @Test
  void take_noRoom_waitsUntilThereIs() throws InterruptedException {
    ZtocRoom room = new ZtocRoom();
    int all = room.take(Long.MAX_VALUE);
    Thread waiting =
        Thread.ofPlatform()
            .start(() -> {
              try {
                room.giveBack(room.take(1));
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    while (waiting.getState() != Thread.State.WAITING) {
      assertThat(waiting.getState()).isNotEqualTo(Thread.State.TERMINATED);
      Thread.onSpinWait();
    }
    room.giveBack(all);
    waiting.join();
    assertThat(room.free()).isEqualTo(ZtocRoom.SHARES);
  }

  /** The first is refused before there is room, the second once it has some. */
  @Test
  void index_ofWhatIsCorrupt_givesItsRoomBack() throws Exception {
    byte[] ztoc = ZtocTest.write(ZtocTest.smallest().open());
    LayerFormat.Layer layer = SociImages.v1(Fixtures.of("small")).getFirst();
    for (MemorySegment bytes :
        new MemorySegment[] {MemorySegment.ofArray(new byte[64]), MemorySegment.ofArray(ztoc)}) {
      BlobSource nothing = new BlobSource(blob -> new byte[0]);
      Descriptor descriptor =
          new Descriptor(SociIndex.ZTOC_TYPE, Digest.sha256(ztoc), bytes.byteSize());
      SociIndexer indexer = new SociIndexer(nothing, layer, descriptor, bytes);
      assertThatThrownBy(
              () -> indexer.index(directory.resolve("tree"), new PlainDevices(directory, nothing)))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("zTOC");
    }
    assertThat(ZtocRoom.ofProcess().free()).isEqualTo(ZtocRoom.SHARES);
  }
}
