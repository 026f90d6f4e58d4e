package sluice.registry;

import java.time.Duration;
import sluice.core.FetchException;
import sluice.core.Lane;

/**
 * Is told what goes over the wire, for metrics. Called by the threads that fetch, so it returns at
 * once, throws nothing, and is safe for use by many threads.
 */
public interface FetchListener {

  /** Does nothing. */
  FetchListener NONE =
      new FetchListener() {
        @Override
        public void answered(Lane lane, int status, Duration latency) {}

        @Override
        public void received(Lane lane, long lengthBytes) {}

        @Override
        public void failed(Lane lane, FetchException.Reason reason) {}
      };

  /**
   * A request was answered, by whatever status: redirects and refusals count too.
   *
   * @param latency from the request to the head of the answer
   */
  void answered(Lane lane, int status, Duration latency);

  /** Bytes of content came in. */
  void received(Lane lane, long lengthBytes);

  /** One attempt failed; it may be tried again. */
  void failed(Lane lane, FetchException.Reason reason);
}
