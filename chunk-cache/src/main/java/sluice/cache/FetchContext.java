package sluice.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import sluice.core.CorruptException;
import sluice.core.FetchException;
import sluice.core.Lane;
import sluice.core.RangeSource;

/** What every fetch works with, and the steps that all kinds of them share. */
record FetchContext(
    RangeSource source,
    ChunkVerifier verifier,
    ChunkStore store,
    Flights flights,
    FetchScheduler scheduler,
    CacheThreads threads,
    CacheListener listener) {

  /** Sends one request and waits for its answer. */
  ByteBuffer request(CacheDevice device, long offset, int length, Lane lane)
      throws IOException, InterruptedException {
    ByteBuffer encoded = ByteBuffer.allocate(length);
    long start = System.nanoTime();
    long fetched = 0;
    listener.fetchBegan(lane);
    try {
      source.read(device.table().blob(), device.holders(), offset, encoded, lane);
      if (encoded.hasRemaining()) {
        throw new FetchException(
            "blob %s: %d bytes at %d asked for, %d came"
                .formatted(device.table().blob(), length, offset, encoded.position()),
            FetchException.Reason.PROTOCOL,
            0,
            null);
      }
      fetched = length;
    } finally {
      listener.fetchEnded(lane, fetched, Duration.ofNanos(System.nanoTime() - start));
    }
    return encoded.flip();
  }

  /** Bytes that a request for the device's blob gave are wrong: others are to be asked first. */
  void rejected(CacheDevice device, long offset) {
    source.rejected(device.table().blob(), device.holders(), offset);
  }

  /** Decodes and verifies on a compute thread. */
  ByteBuffer decode(Flight flight, ByteBuffer encoded) throws IOException, InterruptedException {
    return CacheThreads.on(
        threads.compute(), () -> verifier.decode(flight.table(), flight.chunk(), encoded));
  }

  /**
   * Whether a chunk is what its index states of it. If not, its flight has failed: the bytes are
   * right by their digests, so nobody is to blame who sent them, and nobody has others.
   */
  boolean agrees(Flight flight, ByteBuffer decoded) {
    try {
      verifier.compare(flight.table(), flight.chunk(), decoded);
      return true;
    } catch (CorruptException e) {
      failed(flight, e);
      return false;
    }
  }

  /** Writes and marks on a disk thread; returns how many bytes that were. */
  long store(Flight flight, ByteBuffer decoded) throws IOException, InterruptedException {
    return CacheThreads.on(
        threads.disk(), () -> store.store(flight.device(), flight.chunk(), decoded));
  }

  /** The flight's chunk is present. */
  void landed(Flight flight) {
    flights.land(flight, null);
  }

  /**
   * Ends flights whose readers have all left before their request was sent.
   *
   * @return whether they were ended
   */
  boolean abandoned(List<Flight> all) {
    return flights.abandon(all, new IOException("cache: nobody waits for the chunk any more"));
  }

  /** The flight failed, unless it has landed already; all who wait for it are told. */
  void failed(Flight flight, Throwable failure) {
    if (flight.hasLanded()) {
      return;
    }
    listener.failed(
        switch (failure) {
          case DiskException disk when disk.full() -> CacheListener.Failure.DISK_FULL;
          case DiskException _ -> CacheListener.Failure.DISK;
          case CorruptException _ -> CacheListener.Failure.VERIFY;
          case InterruptedException _ -> CacheListener.Failure.CLOSED;
          default -> CacheListener.Failure.FETCH;
        });
    if (failure instanceof CorruptException) {
      listener.unverified(flight.device().id());
    }
    flights.land(
        flight,
        failure instanceof InterruptedException
            ? new IOException("cache: closed while %s was fetched".formatted(flight), failure)
            : failure);
  }
}
