package sluice.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import sluice.core.ChunkDecoder;
import sluice.core.Lane;

/**
 * Answers {@code ensure}: finds the chunks that are missing, joins those on their way, and begins
 * flights for the others. A flight's bytes come from another device of this node, or from a
 * registry, or are zeros.
 *
 * <p>A flight is not bound to the thread that asked for it. A caller that is interrupted leaves; a
 * request that is not sent yet when all have left is dropped, one that is under way is finished,
 * since its bytes are paid for and the next reader finds them.
 */
final class Fetcher {

  /** How many chunks one caller has on their way at a time, however long its range. */
  private static final int MAX_JOINED = 512;

  /**
   * How long a flight waits for one of equal bytes that asks other registries: a healthy one has
   * answered by then, and one that hangs is another image's trouble.
   */
  private static final Duration FOLLOW_OTHERS = Duration.ofMillis(500);

  private static final Duration FOR_EVER = Duration.ofDays(1);

  private final FetchContext context;
  private final EqualChunks equals;
  private final ReadPlan plan = new ReadPlan();
  private final ChunkDecoder decoder;

  Fetcher(FetchContext context, EqualChunks equals, ChunkDecoder decoder) {
    this.context = context;
    this.equals = equals;
    this.decoder = decoder;
  }

  /** See {@link sluice.core.LazyDevice#ensure}. */
  void ensure(CacheDevice device, long offset, long length, Lane lane)
      throws IOException, InterruptedException {
    if (device.present(offset, length)) {
      context.listener().hit(length);
      return;
    }
    long start = System.nanoTime();
    Deque<Flight> flights = new ArrayDeque<>();
    context.flights().enter(device);
    try {
      joinAll(device, offset, offset + length, lane, flights);
      awaitAll(flights, 0);
    } finally {
      flights.forEach(context.flights()::leave);
      context.flights().exit(device);
    }
    context.listener().waited(lane, length, Duration.ofNanos(System.nanoTime() - start));
  }

  private void joinAll(CacheDevice device, long offset, long end, Lane lane, Deque<Flight> flights)
      throws IOException, InterruptedException {
    ChunkTable table = device.table();
    Set<Integer> wanted = new LinkedHashSet<>();
    long bytes = 0;
    for (int placement = table.placementAt(offset);
        placement < table.placementCount() && table.deviceOffset(placement) < end;
        placement++) {
      int chunk = table.chunkOf(placement);
      if (device.presence().has(chunk) || !wanted.add(chunk)) {
        continue;
      }
      bytes += table.encodedLength(chunk);
      if (bytes >= ReadPlan.maxJoinedBytes(lane) || wanted.size() >= ReadPlan.MAX_CHUNKS) {
        flights.addAll(join(device, wanted, lane));
        awaitAll(flights, MAX_JOINED);
        wanted.clear();
        bytes = 0;
      }
    }
    flights.addAll(join(device, wanted, lane));
  }

  /** Waits for the flights at the head until no more than {@code left} are left. */
  private void awaitAll(Deque<Flight> flights, int left) throws IOException, InterruptedException {
    while (flights.size() > left) {
      flights.getFirst().await();
      context.flights().leave(flights.removeFirst());
    }
  }

  private List<Flight> join(CacheDevice device, Set<Integer> wanted, Lane lane) {
    Collection<Integer> along = plan.along(device, wanted, lane);
    Flights.Joined joined = context.flights().join(device, wanted, along, lane);
    List<Flight> ranges = new ArrayList<>();
    for (Flight flight : joined.fresh()) {
      if (flight.table().isWholeStream(flight.chunk())) {
        send(new StreamFetch(context, decoder, flight));
      } else {
        ranges.add(flight);
      }
    }
    if (!ranges.isEmpty()) {
      run(context.threads().network(), () -> bring(ranges), ranges);
    }
    for (Flight flight : joined.followers()) {
      run(context.threads().network(), () -> follow(flight), List.of(flight));
    }
    hasten(joined.hastened(), lane);
    return joined.joined();
  }

  private void hasten(List<Fetch> fetches, Lane lane) {
    for (Fetch fetch : fetches) {
      run(fetch.threads(), () -> fetch.send(lane), List.of());
    }
  }

  private void send(Fetch fetch) {
    Lane lane = context.flights().queue(fetch);
    run(fetch.threads(), () -> fetch.send(lane), fetch.flights());
  }

  /** Runs a task; whatever it throws, its flights land. */
  private void run(ExecutorService pool, Runnable task, List<Flight> flights) {
    try {
      pool.execute(() -> {
        try {
          task.run();
        } catch (RuntimeException | Error e) {
          flights.forEach(flight -> context.failed(flight, e));
          throw e;
        }
      });
    } catch (RejectedExecutionException e) {
      IOException closed = new IOException("cache: closed", e);
      flights.forEach(flight -> context.failed(flight, closed));
    }
  }

  /**
   * Brings chunks of one device that nobody else brings. Requests are sent first: a reader of one
   * chunk does not wait for copies of its neighbours.
   */
  private void bring(List<Flight> flights) {
    List<Flight> missing = new ArrayList<>();
    List<Flight> here = new ArrayList<>();
    for (Flight flight : flights) {
      (isHere(flight) ? here : missing).add(flight);
    }
    plan.reads(context, missing).forEach(this::send);
    for (Flight flight : here) {
      run(context.threads().network(), () -> settle(flight), List.of(flight));
    }
  }

  /** Whether the chunk needs no registry, as far as one can tell without reading. */
  private boolean isHere(Flight flight) {
    return flight.table().isZeros(flight.chunk())
        || equals.mayHave(flight.device(), flight.chunk());
  }

  private void settle(Flight flight) {
    if (!settleHere(flight)) {
      plan.reads(context, List.of(flight)).forEach(this::send);
    }
  }

  /** Brings a chunk whose bytes another flight brings, too: waits for that one and copies. */
  private void follow(Flight flight) {
    long deadline = System.nanoTime() + FOLLOW_OTHERS.toNanos();
    try {
      for (Flight leader = flight.leader; leader != null; leader = flight.leader) {
        Duration limit =
            leader.hosts().equals(flight.hosts())
                ? FOR_EVER
                : Duration.ofNanos(deadline - System.nanoTime());
        if (!leader.awaitEnd(limit)) {
          context.flights().overtake(flight);
          break;
        }
        if (flight.device().presence().has(flight.chunk())) {
          context.landed(flight);
          return;
        }
        if (isHere(flight) && settleHere(flight)) {
          return;
        }
        hasten(context.flights().lead(flight), flight.lane);
      }
      settle(flight);
    } catch (InterruptedException e) {
      context.failed(flight, e);
    }
  }

  /** Makes zeros or a copy; whether the chunk has landed, well or not. */
  private boolean settleHere(Flight flight) {
    try (ByteBudget.Share _ = equals.hold(flight.device(), flight.chunk())) {
      if (flight.table().isZeros(flight.chunk())) {
        makeZeros(flight);
        return true;
      }
      ByteBuffer decoded = equals.read(flight.device(), flight.chunk());
      if (decoded == null) {
        return false;
      }
      context.listener().copied(context.store(flight, decoded));
      context.landed(flight);
    } catch (IOException | InterruptedException e) {
      context.failed(flight, e);
    }
    return true;
  }

  private void makeZeros(Flight flight) throws IOException, InterruptedException {
    CacheThreads.on(
        context.threads().compute(),
        () -> {
          ChunkVerifier.verifyZeros(flight.table(), flight.chunk());
          return null;
        });
    CacheThreads.on(
        context.threads().disk(),
        () -> {
          context.store().storeZeros(flight.device(), flight.chunk());
          return null;
        });
    context.landed(flight);
  }
}
