package sluice.snapshotter.check;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.DeviceId;
import sluice.core.DeviceStore;
import sluice.core.Fidelity;
import sluice.core.LazyDevice;
import sluice.snapshotter.image.KeptLayer;
import sluice.snapshotter.image.LayerClaims;
import sluice.snapshotter.image.LayerKey;

/**
 * Has layers compared with what they hold as they become due, one after the other, on a thread of
 * its own. A check that fails for want of the registry, of time or of space is tried again later,
 * as {@link Retries} says. Safe for use by many threads.
 */
public final class LayerChecks implements Closeable {

  private static final Logger LOG = LoggerFactory.getLogger(LayerChecks.class);
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(2);

  private final LayerClaims claims;
  private final DeviceStore devices;
  private final LayerCheck check;
  private final Due due;
  private final Suspects suspects;
  private final Listener listener;
  private final Retries retries;
  private final Thread thread;
  private volatile boolean closed;

  private LayerChecks(
      LayerClaims claims,
      DeviceStore devices,
      LayerCheck check,
      Due due,
      Suspects suspects,
      Listener listener,
      Retries retries) {
    this.claims = claims;
    this.devices = devices;
    this.check = check;
    this.due = due;
    this.suspects = suspects;
    this.listener = listener;
    this.retries = retries;
    this.thread = Thread.ofPlatform().name("layer checks").daemon().unstarted(this::run);
  }

  /** When a layer is compared. */
  public enum Due {
    /** As soon as it is in use. */
    ALWAYS,
    /** When every byte of its devices is there, or one was given that they do not have. */
    COMPLETE
  }

  /** Hears how checks end. */
  public interface Listener {
    void honest(KeptLayer layer);

    void lying(KeptLayer layer);

    void undecided(KeptLayer layer);
  }

  /** Starts the thread; closing the result ends it. */
  public static LayerChecks start(
      LayerClaims claims,
      DeviceStore devices,
      LayerCheck check,
      Due due,
      Suspects suspects,
      Listener listener) {
    Retries retries = new Retries(InstantSource.system());
    LayerChecks checks = new LayerChecks(claims, devices, check, due, suspects, listener, retries);
    checks.thread.start();
    return checks;
  }

  /** Layers in use that could not be compared so far. */
  public List<UndecidedLayer> undecided() {
    return retries.all();
  }

  private void run() {
    try {
      while (!closed) {
        Thread.sleep(LOOK_AGAIN);
        writeLies();
        List<KeptLayer> claimed = claims.open();
        retries.retain(claimed.stream().map(KeptLayer::key).collect(Collectors.toSet()));
        suspects.retain(
            claimed.stream()
                .flatMap(layer -> layer.devices().stream())
                .collect(Collectors.toSet()));
        for (KeptLayer layer : claimed) {
          KeptLayer.Claim claim = layer.claim();
          if (claim != null && isDue(layer)) {
            check(layer, claim);
          }
        }
      }
    } catch (InterruptedException e) {
      LOG.debug("no more layers are checked");
    }
  }

  private boolean isDue(KeptLayer layer) {
    return retries.allows(layer.key())
        && (due == Due.ALWAYS || suspects.anyOf(layer.devices()) || isComplete(layer));
  }

  private boolean isComplete(KeptLayer layer) {
    try {
      for (DeviceId id : layer.devices()) {
        LazyDevice device = devices.open(id);
        if (!device.present(0, device.lengthBytes())) {
          return false;
        }
      }
      return true;
    } catch (IOException | RuntimeException e) {
      LOG.debug("layer {} is not checked now", layer.key(), e);
      return false;
    }
  }

  private void check(KeptLayer layer, KeptLayer.Claim claim) throws InterruptedException {
    try {
      Fidelity fidelity = fidelity(layer);
      Optional<String> lie =
          TimeLimit.call(
              "layer check", retries.limit(layer.key()), () -> check.lie(layer, claim, fidelity));
      retries.decided(layer.key());
      if (lie.isEmpty()) {
        claims.honest(layer);
        LOG.info("layer {} holds what its index shows", layer.key().layer());
        listener.honest(layer);
      } else {
        LOG.error(
            "layer {} does not hold what its {} index shows: {}; nothing is mounted from it any"
                + " more. Remove the image and pull it again, and look into where it came from: {}",
            layer.key().layer(),
            layer.key().format(),
            lie.get(),
            claim.layers().stream().flatMap(held -> held.holders().stream()).distinct().toList());
        listener.lying(layer);
        remember(layer, lie.get());
      }
    } catch (IOException | RuntimeException | Error e) {
      // An error, too: the thread is the node's only one for this.
      if (closed || !isClaimed(layer.key())) {
        LOG.debug("layer {} is not compared: it was removed, or all ends", layer.key(), e);
      } else {
        undecided(layer, e);
      }
    }
  }

  /** What cannot be written now is, as soon as there is room, by {@link #run}. */
  private void remember(KeptLayer layer, String lie) {
    try {
      claims.lying(layer, lie);
    } catch (IOException e) {
      LOG.error(
          "layer {}: that its index lies is forgotten when the daemon ends, unless it can be written"
              + " before: {}",
          layer.key().layer(),
          e.toString());
    }
  }

  private void writeLies() {
    try {
      claims.save();
    } catch (IOException e) {
      LOG.debug("lies of indexes still cannot be written", e);
    }
  }

  private Fidelity fidelity(KeptLayer layer) throws IOException {
    String format = layer.key().format();
    return claims
        .fidelity(format)
        .orElseThrow(() ->
            new IOException(
                "format %s is not in use, so nobody can say what its indexes leave out: add it to"
                        .formatted(format)
                    + " index.order, or remove the images with this layer"));
  }

  private boolean isClaimed(LayerKey key) {
    return claims.open().stream().anyMatch(layer -> layer.key().equals(key));
  }

  private void undecided(KeptLayer layer, Throwable failure) {
    UndecidedLayer undecided = retries.failed(layer, failure.toString());
    LOG.warn(
        "layer {} could not be compared with its {} index, which is tried again {}: {}",
        layer.key().layer(),
        layer.key().format(),
        undecided.nextTry() == null ? "when the daemon starts again" : "at " + undecided.nextTry(),
        undecided.reason());
    listener.undecided(layer);
  }

  @Override
  public void close() throws IOException {
    closed = true;
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while a check of layers ended", e);
    }
  }
}
