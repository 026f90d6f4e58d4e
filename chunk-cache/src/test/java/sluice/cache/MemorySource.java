package sluice.cache;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import sluice.core.ByteRange;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;

/**
 * Registries in memory, all of which have all blobs. It remembers what was asked for, can be told
 * to misbehave, and asks those holders last whose bytes were rejected.
 */
final class MemorySource implements RangeSource {

  /** What it does before it answers; may block, and may fail. */
  @FunctionalInterface
  interface Manners {
    void before(Request request) throws IOException, InterruptedException;
  }

  /** Changes the bytes of an answer. */
  @FunctionalInterface
  interface Damage {
    void apply(Request request, byte[] answer);
  }

  record Request(Digest blob, ByteRange range, Lane lane, Optional<Repository> holder) {}

  private final Map<Digest, byte[]> blobs = new ConcurrentHashMap<>();
  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private final List<Repository> liars = new CopyOnWriteArrayList<>();
  private volatile Manners manners = request -> {};
  private volatile Damage damage = (request, answer) -> {};

  void put(TestDevice device) {
    blobs.put(device.index().blob(), device.blob());
  }

  void behave(Manners manners) {
    this.manners = manners;
  }

  void damage(Damage damage) {
    this.damage = damage;
  }

  List<Request> requests() {
    return requests;
  }

  @Override
  public void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
      throws IOException, InterruptedException {
    Request request =
        new Request(blob, new ByteRange(offset, into.remaining()), lane, first(holders));
    byte[] bytes = answer(request, holders);
    if (request.range().end() > bytes.length) {
      throw new FetchException(
          request + " ends after the blob", FetchException.Reason.PROTOCOL, 416, null);
    }
    byte[] part = Arrays.copyOfRange(bytes, (int) offset, (int) request.range().end());
    damage.apply(request, part);
    into.put(part);
  }

  @Override
  public InputStream open(Digest blob, Set<Repository> holders, Lane lane)
      throws IOException, InterruptedException {
    Request request = new Request(blob, new ByteRange(0, Long.MAX_VALUE), lane, first(holders));
    byte[] bytes = answer(request, holders).clone();
    damage.apply(request, bytes);
    return new ByteArrayInputStream(bytes);
  }

  @Override
  public void rejected(Digest blob, Set<Repository> holders, long offset) {
    for (Request request : requests.reversed()) {
      if (request.blob().equals(blob) && request.range().offset() == offset) {
        request.holder().ifPresent(liars::add);
        return;
      }
    }
    throw new AssertionError("nobody was asked for %s at %d".formatted(blob, offset));
  }

  /** The holder that gave wrong bytes least lately. */
  private Optional<Repository> first(Set<Repository> holders) {
    return holders.stream()
        .min(
            Comparator.<Repository>comparingInt(liars::lastIndexOf)
                .thenComparing(Repository::toString));
  }

  private byte[] answer(Request request, Set<Repository> holders)
      throws IOException, InterruptedException {
    requests.add(request);
    manners.before(request);
    if (holders.isEmpty() || !blobs.containsKey(request.blob())) {
      throw new FetchException(
          request.blob() + " is nowhere", FetchException.Reason.NOT_FOUND, 404, null);
    }
    return Objects.requireNonNull(blobs.get(request.blob()));
  }
}
