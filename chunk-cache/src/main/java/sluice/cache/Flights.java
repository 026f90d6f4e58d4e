package sluice.cache;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import sluice.core.Digest;
import sluice.core.Lane;

/**
 * All chunks on their way: one flight for each chunk, and one of equal bytes that asks a registry.
 * Its lock is held for a few look-ups at a time, never while anything is waited for. Safe for use
 * by many threads.
 *
 * <p>There are more of them where the registries differ: a flight whose leader asks registries that
 * its own device does not have, or not only them, {@link #overtake overtakes} it after a while, so
 * that an image does not hang on the registry of another one.
 */
final class Flights {
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Key, Flight> byChunk = new HashMap<>();
  private final Map<Digest, Flight> leaders = new HashMap<>();

  private record Key(CacheDevice device, int chunk) {}

  /**
   * What became of a wish for chunks.
   *
   * @param joined flights to wait for; each must be {@link #leave left}
   * @param fresh new flights that nobody else brings, by chunk number
   * @param followers new flights whose bytes another flight brings
   * @param hastened requests that wait in a less urgent lane and should wait in this one too
   */
  record Joined(
      List<Flight> joined, List<Flight> fresh, List<Flight> followers, List<Fetch> hastened) {
    Joined() {
      this(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    }
  }

  /**
   * Joins the flights of all {@code wanted} chunks that are not present, beginning those that there
   * are not yet.
   *
   * @param along chunks that should come along, if they are missing and nobody brings them
   */
  Joined join(
      CacheDevice device, Collection<Integer> wanted, Collection<Integer> along, Lane lane) {
    Joined result = new Joined();
    Set<String> hosts = device.hosts();
    lock.lock();
    try {
      for (int chunk : wanted) {
        Flight flight = byChunk.get(new Key(device, chunk));
        if (flight != null && mayJoin(flight, hosts)) {
          hasten(flight, lane, result.hastened);
        } else if (device.presence().has(chunk)) {
          continue;
        } else {
          flight = begin(new Flight(device, chunk, hosts, lane), flight, result);
        }
        flight.waiters++;
        result.joined.add(flight);
      }
      for (int chunk : along) {
        if (!byChunk.containsKey(new Key(device, chunk)) && !device.presence().has(chunk)) {
          begin(new Flight(device, chunk, hosts, lane), null, result);
        }
      }
      return result;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Whether a flight does for those who could ask {@code hosts}. Streams always do: two of them
   * would write the same file, and one that fails makes it empty.
   */
  private static boolean mayJoin(Flight flight, Set<String> hosts) {
    return flight.hosts().equals(hosts) || flight.table().isWholeStream(flight.chunk());
  }

  /**
   * Begins a flight.
   *
   * @param before a flight of the same chunk that asks other registries, or null
   */
  private Flight begin(Flight flight, @Nullable Flight before, Joined result) {
    byChunk.put(new Key(flight.device(), flight.chunk()), flight);
    flight.device().users++;
    Digest digest = leadingDigest(flight);
    Flight leader = before;
    if (leader == null && digest != null) {
      leader = leaders.putIfAbsent(digest, flight);
    }
    flight.leader = leader;
    if (leader == null) {
      result.fresh.add(flight);
    } else {
      leader.followers++;
      result.followers.add(flight);
      hasten(leader, flight.lane, result.hastened);
    }
    return flight;
  }

  /**
   * Equal chunks are known by the digest of their first placement. Zeros are made, and a stream is
   * only ever brought whole.
   */
  private static @Nullable Digest leadingDigest(Flight flight) {
    ChunkTable table = flight.table();
    int chunk = flight.chunk();
    return table.isZeros(chunk) || table.isWholeStream(chunk)
        ? null
        : table.digest(table.firstPlacement(chunk));
  }

  private static void hasten(Flight flight, Lane lane, List<Fetch> hastened) {
    for (Flight at = flight; at != null; at = at.leader) {
      if (lane.compareTo(at.lane) < 0) {
        at.lane = lane;
        if (at.fetch != null) {
          hastened.add(at.fetch);
        }
      }
    }
  }

  /** A caller no longer waits. */
  void leave(Flight flight) {
    lock.lock();
    try {
      flight.waiters--;
    } finally {
      lock.unlock();
    }
  }

  /**
   * A follower's leader has landed, and its bytes are not to be copied: it leads from now on,
   * unless another one does already, which is {@link Flight#leader} then and has to be followed.
   *
   * @return requests that wait in a less urgent lane and should wait in that of the follower too
   */
  List<Fetch> lead(Flight follower) {
    List<Fetch> hastened = new ArrayList<>();
    Digest digest = leadingDigest(follower);
    lock.lock();
    try {
      Flight leader = digest == null ? null : leaders.putIfAbsent(digest, follower);
      follower.leader = leader;
      if (leader != null) {
        leader.followers++;
        hasten(leader, follower.lane, hastened);
      }
      return hastened;
    } finally {
      lock.unlock();
    }
  }

  /** A follower waits for its leader no more: it leads, and who comes later follows it. */
  void overtake(Flight follower) {
    Digest digest = leadingDigest(follower);
    lock.lock();
    try {
      Flight leader = follower.leader;
      if (leader != null) {
        leader.followers--;
        follower.leader = null;
      }
      if (digest != null) {
        leaders.put(digest, follower);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Lets flights wait for leave to be sent, as one request.
   *
   * @return the lane to wait in: that of the most urgent
   */
  Lane queue(Fetch fetch) {
    lock.lock();
    try {
      Lane lane = Lane.FILL;
      for (Flight flight : fetch.flights()) {
        flight.fetch = fetch;
        lane = flight.lane.compareTo(lane) < 0 ? flight.lane : lane;
      }
      return lane;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Ends the flights, all of one device, if no caller waits for any of them, so that requests of
   * readers that have gone are not sent.
   *
   * @return whether they were ended
   */
  boolean abandon(Collection<Flight> flights, Throwable reason) {
    lock.lock();
    try {
      for (Flight flight : flights) {
        if (flight.waiters > 0 || flight.followers > 0) {
          return false;
        }
      }
      flights.forEach(this::remove);
    } finally {
      lock.unlock();
    }
    flights.forEach(flight -> flight.land(reason));
    return true;
  }

  /**
   * Ends a flight. Its chunk was marked present before, unless it failed.
   *
   * @param failure why, or null
   */
  void land(Flight flight, @Nullable Throwable failure) {
    lock.lock();
    try {
      remove(flight);
    } finally {
      lock.unlock();
    }
    flight.land(failure);
  }

  private void remove(Flight flight) {
    if (!flight.ended) {
      flight.ended = true;
      flight.device().users--;
      byChunk.remove(new Key(flight.device(), flight.chunk()), flight);
      Digest digest = leadingDigest(flight);
      if (digest != null) {
        leaders.remove(digest, flight);
      }
    }
  }

  /**
   * Keeps the device from being deleted until {@link #exit}.
   *
   * @throws IOException if it is deleted
   */
  void enter(CacheDevice device) throws IOException {
    lock.lock();
    try {
      if (device.deleted) {
        throw new IOException("cache: %s was deleted".formatted(device));
      }
      device.users++;
    } finally {
      lock.unlock();
    }
  }

  /** The call that entered has ended. */
  void exit(CacheDevice device) {
    lock.lock();
    try {
      device.users--;
    } finally {
      lock.unlock();
    }
  }

  /** Marks the device deleted, unless it is used now; returns whether it did. */
  boolean retire(CacheDevice device) {
    lock.lock();
    try {
      device.deleted = device.users == 0;
      return device.deleted;
    } finally {
      lock.unlock();
    }
  }
}
