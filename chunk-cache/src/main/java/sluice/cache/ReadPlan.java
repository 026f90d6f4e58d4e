package sluice.cache;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import sluice.core.ByteRange;
import sluice.core.Lane;

/** Says which chunks are asked for with one request, and which others come along. */
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

  /** The longest request that is made of more than one chunk. */
  static long maxJoinedBytes(Lane lane) {
    return switch (lane) {
      case DEMAND -> 4L << 20;
      case STARTUP -> 8L << 20;
      case FILL -> 16L << 20;
    };
  }

  /** Missing chunks that follow the last of {@code wanted} in the device and in the blob. */
  Collection<Integer> along(CacheDevice device, Set<Integer> wanted, Lane lane) {
    List<Integer> along = new ArrayList<>();
    if (lane != Lane.DEMAND || wanted.isEmpty()) {
      return along;
    }
    ChunkTable table = device.table();
    long bytes = 0;
    int last = 0;
    for (int chunk : wanted) {
      bytes += table.encodedLength(chunk);
      last = chunk;
    }
    long end = table.encoded(last).end();
    for (int next = last + 1; next < table.chunkCount() && bytes < MIN_DEMAND_BYTES; next++) {
      ByteRange encoded = table.encoded(next);
      if (table.isZeros(next)
          || table.isWholeStream(next)
          || device.presence().has(next)
          || encoded.offset() < end
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
      ByteRange range = range(sorted.get(from));
      int to = from + 1;
      while (to < sorted.size() && joins(range, sorted.get(to))) {
        long end = Math.max(range.end(), range(sorted.get(to)).end());
        range = new ByteRange(range.offset(), end - range.offset());
        to++;
      }
      List<Flight> joined = sorted.subList(from, to);
      reads.add(new RangeRead(context, joined.getFirst().device(), joined, range));
      from = to;
    }
    return reads;
  }

  private static boolean joins(ByteRange range, Flight next) {
    ByteRange encoded = range(next);
    return encoded.offset() - range.end() <= MAX_GAP_BYTES
        && Math.max(range.end(), encoded.end()) - range.offset() <= maxJoinedBytes(next.lane);
  }

  private static ByteRange range(Flight flight) {
    return flight.table().encoded(flight.chunk());
  }
}
