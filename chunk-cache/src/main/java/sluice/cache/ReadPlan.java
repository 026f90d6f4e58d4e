package sluice.cache;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import sluice.core.ByteRange;
import sluice.core.Lane;

/**
 * Says which chunks are asked for with one request, and which others come along.
 *
 * <p>A request holds what it decodes to as well as what is sent: 530 bytes of zstd may be 16 MiB of
 * zeros, and who writes an image chooses. So both are bounded, and only a single chunk may be
 * longer than the bounds.
 */
final class ReadPlan {

  /**
   * A reader that waits for a chunk will soon want the next ones, and a round trip costs as much as
   * the bytes: a request on the demand lane asks for at least this much.
   */
  static final long MIN_DEMAND_BYTES = 1L << 20;

  /**
   * Chunks with less than this between them are asked for together: headers of a tar entry are
   * cheaper than a request.
   */
  static final long MAX_GAP_BYTES = 16L << 10;

  /** A span of deflate ends with the byte that the next one begins inside of. */
  private static final long MAX_SHARED_BYTES = 1;

  /** How many chunks one request is for: each costs work, however short it is. */
  static final int MAX_CHUNKS = 512;

  /** The longest request that is made of more than one chunk. */
  static long maxJoinedBytes(Lane lane) {
    return switch (lane) {
      case DEMAND -> 4L << 20;
      case STARTUP -> 8L << 20;
      case FILL -> 16L << 20;
    };
  }

  /** What the chunks of one request, if there is more than one, decode to at most. */
  private static long maxDecodedBytes(Lane lane) {
    return 2 * maxJoinedBytes(lane);
  }

  /** Missing chunks that follow the last of {@code wanted} in the device and in the blob. */
  Collection<Integer> along(CacheDevice device, Set<Integer> wanted, Lane lane) {
    List<Integer> along = new ArrayList<>();
    if (lane != Lane.DEMAND || wanted.isEmpty()) {
      return along;
    }
    ChunkTable table = device.table();
    long bytes = 0;
    long decoded = 0;
    int last = 0;
    for (int chunk : wanted) {
      bytes += table.encodedLength(chunk);
      decoded += table.decodedLength(chunk);
      last = chunk;
    }
    int limit = MAX_CHUNKS - wanted.size();
    long end = table.encoded(last).end();
    for (int next = last + 1; next < table.chunkCount() && bytes < MIN_DEMAND_BYTES; next++) {
      ByteRange encoded = table.encoded(next);
      decoded += table.decodedLength(next);
      if (along.size() >= limit
          || decoded > maxDecodedBytes(lane)
          || table.isZeros(next)
          || table.isWholeStream(next)
          || device.presence().has(next)
          || encoded.offset() < end - MAX_SHARED_BYTES
          || encoded.offset() - end > MAX_GAP_BYTES
          || bytes + encoded.length() > maxJoinedBytes(lane)) {
        break;
      }
      along.add(next);
      bytes += encoded.length();
      end = encoded.end();
    }
    return along;
  }

  /** Requests for the chunks of the flights, all of one device. */
  List<RangeRead> reads(FetchContext context, List<Flight> flights) {
    List<Flight> sorted = new ArrayList<>(flights);
    sorted.sort(Comparator.comparingLong(flight -> range(flight).offset()));
    List<RangeRead> reads = new ArrayList<>();
    int from = 0;
    while (from < sorted.size()) {
      Joined joined = new Joined(sorted.get(from));
      int to = from + 1;
      while (to < sorted.size()
          && to - from < MAX_CHUNKS
          && joined.add(sorted.get(to), context.scheduler())) {
        to++;
      }
      CacheDevice device = sorted.get(from).device();
      reads.add(new RangeRead(context, device, sorted.subList(from, to), joined.range));
      from = to;
    }
    return reads;
  }

  /** A request that grows chunk by chunk, by rising offset. */
  private static final class Joined {
    private ByteRange range;
    private long decoded;

    Joined(Flight first) {
      range = ReadPlan.range(first);
      decoded = decodedBytes(first);
    }

    /** Adds a chunk if it is near enough and the request stays within bounds. */
    boolean add(Flight next, FetchScheduler scheduler) {
      ByteRange encoded = ReadPlan.range(next);
      long length = Math.max(range.end(), encoded.end()) - range.offset();
      long all = decoded + decodedBytes(next);
      if (encoded.offset() - range.end() > MAX_GAP_BYTES
          || length > maxJoinedBytes(next.lane)
          || all > maxDecodedBytes(next.lane)
          || length + all > scheduler.maxBytes(next.lane)) {
        return false;
      }
      range = new ByteRange(range.offset(), length);
      decoded = all;
      return true;
    }

    private static long decodedBytes(Flight flight) {
      return flight.table().decodedLength(flight.chunk());
    }
  }

  private static ByteRange range(Flight flight) {
    return flight.table().encoded(flight.chunk());
  }
}
