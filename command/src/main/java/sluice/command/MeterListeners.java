package sluice.command;

import java.time.Duration;
import sluice.cache.CacheListener;
import sluice.core.DeviceId;
import sluice.core.FetchException;
import sluice.core.Lane;
import sluice.fuse.FuseListener;
import sluice.registry.FetchListener;
import sluice.snapshotter.check.LayerChecks;
import sluice.snapshotter.check.Suspects;
import sluice.snapshotter.image.KeptLayer;
import sluice.snapshotter.metrics.Meters;

/**
 * Tells the meters what the cache, the FUSE server and the registry client say, and the checks of
 * layers what concerns them.
 */
final class MeterListeners {

  private MeterListeners() {}

  static FetchListener fetches(Meters meters) {
    return new FetchListener() {
      @Override
      public void answered(Lane lane, int status, Duration latency) {}

      @Override
      public void received(Lane lane, long lengthBytes) {
        meters.received(lane, lengthBytes);
      }

      @Override
      public void failed(Lane lane, FetchException.Reason reason) {
        meters.failed(Meters.Failure.FETCH);
      }
    };
  }

  static LayerChecks.Listener checks(Meters meters) {
    return new LayerChecks.Listener() {
      @Override
      public void honest(KeptLayer layer) {
        meters.compared(Meters.LayerCheckOutcome.HONEST);
      }

      @Override
      public void lying(KeptLayer layer) {
        meters.compared(Meters.LayerCheckOutcome.LYING);
      }

      @Override
      public void undecided(KeptLayer layer) {
        meters.compared(Meters.LayerCheckOutcome.UNDECIDED);
      }
    };
  }

  static CacheListener cache(Meters meters, Suspects suspects) {
    return new CacheListener() {
      @Override
      public void fetchEnded(Lane lane, long encodedBytes, Duration duration) {
        meters.fetched(lane, duration);
      }

      @Override
      public void copied(long bytes) {
        meters.copied(bytes);
      }

      @Override
      public void failed(Failure failure) {
        switch (failure) {
          case VERIFY -> meters.failed(Meters.Failure.VERIFY);
          case DISK_FULL -> meters.failed(Meters.Failure.DISK_FULL);
          case DISK -> meters.failed(Meters.Failure.DISK);
          // The registry client tells of failed requests itself, and a closed cache is no fault.
          case FETCH, CLOSED -> {}
        }
      }

      @Override
      public void unverified(DeviceId device) {
        suspects.add(device);
      }
    };
  }

  static FuseListener fuse(Meters meters) {
    return new FuseListener() {
      @Override
      public void answered(String opcode, int errno, long nanos) {
        if (errno != 0 && opcode.equals("READ")) {
          meters.failed(Meters.Failure.READ);
        }
      }

      @Override
      public void read(Source source, int bytes, long nanos) {
        meters.served(
            switch (source) {
              case MEMORY -> Meters.Source.MEMORY;
              case DISK -> Meters.Source.DISK;
              case FETCHED -> Meters.Source.FETCHED;
            },
            bytes,
            Duration.ofNanos(nanos));
      }

      @Override
      public void images(int mounted) {
        meters.mounts(mounted);
      }

      @Override
      public void waiting(int reads) {
        meters.waiting(reads);
      }
    };
  }
}
