package sluice.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.cache.FetchScheduler.Permit;
import sluice.core.ByteRange;
import sluice.core.CorruptException;
import sluice.core.FetchException;
import sluice.core.Lane;

/**
 * One request at a registry for chunks of one device that are neighbours in their blob.
 *
 * <p>It may wait for leave in several lanes at a time, when a reader joins what a prefetch has
 * begun; whichever gives leave first sends it.
 */
final class RangeRead {
  private static final Logger log = LoggerFactory.getLogger(RangeRead.class);

  private final FetchContext context;
  private final CacheDevice device;
  private final List<Flight> flights;
  private final ByteRange range;
  private final AtomicBoolean sent = new AtomicBoolean();

  /**
   * @param flights of chunks of {@code device}, at least one
   * @param range what holds the encoded bytes of all of them
   */
  RangeRead(FetchContext context, CacheDevice device, List<Flight> flights, ByteRange range) {
    this.context = context;
    this.device = device;
    this.flights = List.copyOf(flights);
    this.range = range;
  }

  List<Flight> flights() {
    return flights;
  }

  /** Waits for leave in the lane of its most urgent reader, and sends it. */
  void send() {
    send(context.flights().queue(flights, this));
  }

  /** Waits for leave in {@code lane} and sends it, unless it is sent already. */
  void send(Lane lane) {
    try (Permit permit = context.scheduler().acquire(device.hosts(), lane, bytesHeld())) {
      if (sent.compareAndSet(false, true) && !context.flights().abandon(flights, abandoned())) {
        run(permit, lane);
      }
    } catch (InterruptedException e) {
      if (sent.compareAndSet(false, true)) {
        flights.forEach(flight -> context.failed(flight, closed(e)));
      }
    }
  }

  private static IOException abandoned() {
    return new IOException("cache: nobody waits for the chunk any more");
  }

  private static IOException closed(InterruptedException cause) {
    return new IOException("cache: closed while the chunk was fetched", cause);
  }

  private long bytesHeld() {
    long bytes = range.length();
    for (Flight flight : flights) {
      bytes += flight.table().decodedLength(flight.chunk());
    }
    return bytes;
  }

  private void run(Permit permit, Lane lane) {
    try {
      ByteBuffer encoded = context.request(device, range.offset(), (int) range.length(), lane);
      permit.requestDone();
      arriveAll(encoded, lane);
    } catch (FetchException e) {
      permit.requestDone();
      if (flights.size() > 1 && e.reason() == FetchException.Reason.PROTOCOL) {
        // A chunk that lies outside the blob must not fail its neighbours.
        flights.forEach(flight -> again(flight, lane, e));
      } else {
        failAll(e);
      }
    } catch (InterruptedException e) {
      failAll(closed(e));
    } catch (IOException | RuntimeException | Error e) {
      failAll(e);
    }
  }

  private void failAll(Throwable failure) {
    flights.stream()
        .filter(flight -> !flight.hasLanded())
        .forEach(flight -> context.failed(flight, failure));
  }

  /** Each chunk has its own thread from here on: the first ready is the first to be read. */
  private void arriveAll(ByteBuffer encoded, Lane lane) throws IOException, InterruptedException {
    List<Future<Void>> others = new ArrayList<>();
    for (Flight flight : flights.subList(1, flights.size())) {
      others.add(
          CacheThreads.submit(
              context.threads().network(),
              () -> {
                arrive(flight, encoded, lane);
                return null;
              }));
    }
    arrive(flights.getFirst(), encoded, lane);
    for (Future<Void> other : others) {
      CacheThreads.await(other);
    }
  }

  private void arrive(Flight flight, ByteBuffer joined, Lane lane) {
    ByteRange chunk = flight.table().encoded(flight.chunk());
    int offset = (int) (chunk.offset() - range.offset());
    try {
      ByteBuffer decoded = context.decode(flight, joined.slice(offset, (int) chunk.length()));
      stored(flight, decoded);
    } catch (CorruptException e) {
      log.warn("cache: {}; asking once more", e.getMessage());
      again(flight, lane, e);
    } catch (InterruptedException e) {
      context.failed(flight, closed(e));
    } catch (IOException | RuntimeException | Error e) {
      context.failed(flight, e);
    }
  }

  /** Asks for one chunk alone, holding the bytes of the first request still. */
  private void again(Flight flight, Lane lane, IOException first) {
    ByteRange chunk = flight.table().encoded(flight.chunk());
    try {
      ByteBuffer encoded;
      try (Permit _ = context.scheduler().acquire(device.hosts(), lane, 0)) {
        encoded = context.request(device, chunk.offset(), (int) chunk.length(), lane);
      }
      stored(flight, context.decode(flight, encoded));
    } catch (InterruptedException e) {
      context.failed(flight, closed(e));
    } catch (IOException | RuntimeException | Error e) {
      e.addSuppressed(first);
      context.failed(flight, e);
    }
  }

  private void stored(Flight flight, ByteBuffer decoded) throws IOException, InterruptedException {
    long bytes = context.store(flight, decoded);
    context.listener().stored(bytes);
    context.landed(flight);
  }
}
