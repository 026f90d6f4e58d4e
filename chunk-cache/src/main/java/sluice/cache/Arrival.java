package sluice.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import sluice.core.ByteRange;
import sluice.core.CorruptException;

/**
 * Chunks of one answer that are decoded, verified and written together: a small chunk costs less
 * work than it costs to hand it from thread to thread. For one thread, once.
 */
final class Arrival {

  /** What is decoded on one thread at a time, unless a single chunk is longer. */
  private static final long GROUP_BYTES = 256L << 10;

  private final FetchContext context;
  private final List<Flight> flights;
  private final List<Decoded> sound = new ArrayList<>();
  private final List<Damaged> damaged = new ArrayList<>();

  private Arrival(FetchContext context, List<Flight> flights) {
    this.context = context;
    this.flights = flights;
  }

  private record Decoded(Flight flight, ByteBuffer bytes) {}

  /** A chunk that is not what its digest says. */
  record Damaged(Flight flight, CorruptException reason) {}

  /** Splits the chunks of an answer so that each core gets its share, the first ones first. */
  static List<Arrival> split(FetchContext context, List<Flight> flights) {
    List<Arrival> arrivals = new ArrayList<>();
    int from = 0;
    long bytes = 0;
    for (int i = 0; i < flights.size(); i++) {
      bytes += flights.get(i).table().decodedLength(flights.get(i).chunk());
      if (bytes >= GROUP_BYTES || i == flights.size() - 1) {
        arrivals.add(new Arrival(context, flights.subList(from, i + 1)));
        from = i + 1;
        bytes = 0;
      }
    }
    return arrivals;
  }

  /**
   * Stores what is right; those flights land.
   *
   * @param answer encoded bytes
   * @param offset where in the blob they begin
   * @return what is wrong; those flights have not landed
   */
  List<Damaged> store(ByteBuffer answer, long offset) throws InterruptedException {
    try {
      CacheThreads.on(context.threads().compute(), () -> decodeAll(answer, offset));
      CacheThreads.on(context.threads().disk(), this::storeAll);
    } catch (IOException | RuntimeException | Error e) {
      flights.forEach(flight -> context.failed(flight, e));
    }
    return damaged;
  }

  private Void decodeAll(ByteBuffer answer, long offset) {
    for (Flight flight : flights) {
      ByteRange range = flight.table().encoded(flight.chunk());
      ByteBuffer encoded = answer.slice((int) (range.offset() - offset), (int) range.length());
      try {
        ByteBuffer bytes = context.verifier().decode(flight.table(), flight.chunk(), encoded);
        if (context.agrees(flight, bytes)) {
          sound.add(new Decoded(flight, bytes));
        }
      } catch (CorruptException e) {
        damaged.add(new Damaged(flight, e));
      } catch (IOException | RuntimeException e) {
        context.failed(flight, e);
      }
    }
    return null;
  }

  private Void storeAll() {
    for (Decoded chunk : sound) {
      Flight flight = chunk.flight();
      try {
        long bytes = context.store().store(flight.device(), flight.chunk(), chunk.bytes());
        context.listener().stored(bytes);
        context.landed(flight);
      } catch (IOException e) {
        context.failed(flight, e);
      }
    }
    return null;
  }
}
