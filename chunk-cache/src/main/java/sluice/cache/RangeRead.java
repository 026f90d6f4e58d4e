package sluice.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.cache.FetchScheduler.Permit;
import sluice.core.ByteRange;
import sluice.core.CorruptException;
import sluice.core.FetchException;
import sluice.core.Lane;

/** One request at a registry for chunks of one device that are neighbours in their blob. */
final class RangeRead implements Fetch {
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

  @Override
  public List<Flight> flights() {
    return flights;
  }

  @Override
  public ExecutorService threads() {
    return context.threads().network();
  }

  @Override
  public void send(Lane lane) {
    try (Permit permit = context.scheduler().acquire(device.hosts(), lane, bytesHeld())) {
      if (sent.compareAndSet(false, true) && !context.abandoned(flights)) {
        run(permit, lane);
      }
    } catch (InterruptedException e) {
      if (sent.compareAndSet(false, true)) {
        failAll(e);
      }
    }
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
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      failAll(e);
    }
  }

  private void failAll(Throwable failure) {
    flights.forEach(flight -> context.failed(flight, failure));
  }

  private void arriveAll(ByteBuffer answer, Lane lane) throws IOException, InterruptedException {
    Queue<List<Arrival.Damaged>> wrong = new ConcurrentLinkedQueue<>();
    eachAtOnce(
        Arrival.split(context, flights),
        arrival -> {
          List<Arrival.Damaged> damaged = arrival.store(answer, range.offset());
          if (!damaged.isEmpty()) {
            wrong.add(damaged);
          }
        });
    if (!wrong.isEmpty()) {
      // Once, and before anything is asked again: whoever answers then is not meant.
      context.rejected(device, range.offset());
      eachAtOnce(List.copyOf(wrong), damaged -> againAll(damaged, lane));
    }
  }

  /** What is done with a part of an answer. */
  @FunctionalInterface
  private interface Step<T> {
    void run(T part) throws IOException, InterruptedException;
  }

  /** Runs a step for all parts side by side, and waits for all. */
  private <T> void eachAtOnce(List<T> parts, Step<T> step)
      throws IOException, InterruptedException {
    List<Future<Void>> others = new ArrayList<>();
    for (T part : parts.subList(1, parts.size())) {
      others.add(
          CacheThreads.submit(
              context.threads().network(),
              () -> {
                step.run(part);
                return null;
              }));
    }
    step.run(parts.getFirst());
    for (Future<Void> other : others) {
      CacheThreads.await(other);
    }
  }

  private void againAll(List<Arrival.Damaged> wrong, Lane lane) {
    for (Arrival.Damaged damaged : wrong) {
      log.warn("cache: {}; asking once more", damaged.reason().getMessage());
      again(damaged.flight(), lane, damaged.reason());
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
      ByteBuffer decoded = context.decode(flight, encoded);
      if (context.agrees(flight, decoded)) {
        context.listener().stored(context.store(flight, decoded));
        context.landed(flight);
      }
    } catch (CorruptException e) {
      context.rejected(device, chunk.offset());
      e.addSuppressed(first);
      context.failed(flight, e);
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      if (!e.equals(first)) {
        e.addSuppressed(first);
      }
      context.failed(flight, e);
    }
  }
}
