package sluice.cache;

import java.util.List;
import java.util.concurrent.ExecutorService;
import sluice.core.Lane;

/**
 * A request at a registry that waits for leave to be sent. It may wait in several lanes at a time,
 * when a reader joins what a prefetch has begun; whichever gives leave first sends it.
 */
sealed interface Fetch permits RangeRead, StreamFetch {

  /** What it brings. */
  List<Flight> flights();

  /** The threads that {@link #send} may wait on. */
  ExecutorService threads();

  /** Waits for leave in {@code lane} and sends it, unless it is sent already. */
  void send(Lane lane);
}
