package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.DeviceId;
import sluice.core.DeviceIndex;
import sluice.core.Digest;
import sluice.core.Digest.Algorithm;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.core.Placement;

/** What a device of millions of chunks takes of the heap. */
final class ManyChunksIT {

  /** {@code -Dsluice.chunks=10000000} for the number that the design speaks of. */
  private static final int CHUNKS = Integer.getInteger("sluice.chunks", 1_000_000);

  private static final int CHUNK_BYTES = 4096;
  private static final long MAX_HEAP_BYTES = 20L << 20;

  @Test
  void open_millionsOfChunks_takesLittleHeap(@TempDir Path directory) throws Exception {
    DeviceIndex index = index();
    try (TestCache cache = new TestCache(directory)) {
      long before = heapUsed();
      LazyDevice device = cache.cache().add(index, TestCache.HOLDERS);
      assertThat(heapUsed() - before).isLessThan(MAX_HEAP_BYTES);
      DeviceId id = device.id();
      cache.reopen();
      device = cache.cache().open(id);
      long first = 123L * CHUNK_BYTES;
      assertThat(device.present(first, 1)).isFalse();
      device.ensure(first, 10, Lane.DEMAND);
      assertThat(device.present(first, CHUNK_BYTES)).isTrue();
      assertThat(heapUsed() - before).isLessThan(MAX_HEAP_BYTES);
      assertThat(device.id()).isEqualTo(id);
    }
  }

  private static long heapUsed() throws InterruptedException {
    for (int i = 0; i < 3; i++) {
      System.gc();
      Thread.sleep(50);
    }
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  /** Chunk 123 is of zeros, the others have digests as good as random. */
  private static DeviceIndex index() {
    Iterable<Chunk> chunks =
        () -> {
          Iterator<Chunk> all = IntStream.range(0, CHUNKS).mapToObj(ManyChunksIT::chunk).iterator();
          return all;
        };
    return new DeviceIndex(Digest.sha256(new byte[3]), (long) CHUNKS * CHUNK_BYTES, chunks);
  }

  private static Chunk chunk(int number) {
    Digest digest =
        number == 123
            ? Digest.sha256(new byte[CHUNK_BYTES])
            : Digest.of(Algorithm.BLAKE3, madeUp(number));
    long offset = (long) number * CHUNK_BYTES;
    ByteRange range = new ByteRange(offset / 2, number == 123 ? 0 : CHUNK_BYTES / 2);
    Placement placement = new Placement(0, CHUNK_BYTES, offset, digest);
    return new Chunk(range, new ChunkEncoding.ZstdFrame(), CHUNK_BYTES, null, List.of(placement));
  }

  private static byte[] madeUp(int number) {
    return ByteBuffer.allocate(32).putLong(number * 0x9e3779b97f4a7c15L).putInt(number).array();
  }
}
