package sluice.snapshotter.signature;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.ReentrantLock;
import sluice.core.Digest;
import sluice.core.ImageRegistry;
import sluice.core.Repository;

/**
 * Who has signed which manifest. All layers of an image ask the same, often at once: the repository
 * is asked once. That a manifest is signed is kept; that it is not, for a while, since somebody may
 * sign it. Safe for use by many threads.
 */
public final class Signatures {

  /** Each costs a request or two, so there is no need for more of them. */
  private static final int MAX_KEPT = 1024;

  private static final Duration UNSIGNED_KEPT = Duration.ofMinutes(1);

  private final ImageRegistry registry;
  private final InstantSource clock;

  /** Guards the map. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<Question, Asked> asked =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Question, Asked> eldest) {
          return size() > MAX_KEPT;
        }
      };

  private record Question(Repository repository, Digest manifest, List<VerifyingKey> keys) {}

  private record Asked(FutureTask<Optional<String>> answer, Instant at) {}

  /**
   * @param registry is asked for signatures
   * @param clock says how old answers are
   */
  public Signatures(ImageRegistry registry, InstantSource clock) {
    this.registry = registry;
    this.clock = clock;
  }

  /**
   * Why none of the keys counts as having signed the manifest; empty if one has.
   *
   * @param repository holds the manifest, and its signatures
   * @throws IOException if the repository cannot be asked now
   */
  public Optional<String> refusal(Repository repository, Digest manifest, List<VerifyingKey> keys)
      throws IOException, InterruptedException {
    Question question = new Question(repository, manifest, List.copyOf(keys));
    while (true) {
      FutureTask<Optional<String>> mine =
          new FutureTask<>(new SignatureCheck(registry, repository, manifest, keys)::refusal);
      FutureTask<Optional<String>> answer = answer(question, mine);
      if (answer.equals(mine)) {
        mine.run();
      }
      try {
        return answer.get();
      } catch (ExecutionException e) {
        forget(question, answer);
        switch (e.getCause()) {
          case InterruptedException interrupt when answer.equals(mine) -> throw interrupt;
          case InterruptedException _ -> {
            // Whoever asked was interrupted, which is no answer.
          }
          case IOException failure -> throw failure;
          case RuntimeException failure -> throw failure;
          case Error failure -> throw failure;
          case null, default -> throw new IOException(e);
        }
      }
    }
  }

  /** What is known or under way; {@code mine} if nothing is. */
  private FutureTask<Optional<String>> answer(
      Question question, FutureTask<Optional<String>> mine) {
    Instant now = clock.instant();
    lock.lock();
    try {
      Asked before = asked.get(question);
      if (before != null && !expired(before, now)) {
        return before.answer;
      }
      asked.put(question, new Asked(mine, now));
      return mine;
    } finally {
      lock.unlock();
    }
  }

  private static boolean expired(Asked before, Instant now) {
    return before.answer.state() == FutureTask.State.SUCCESS
        && before.answer.resultNow().isPresent()
        && Duration.between(before.at, now).compareTo(UNSIGNED_KEPT) > 0;
  }

  private void forget(Question question, FutureTask<Optional<String>> failed) {
    lock.lock();
    try {
      Asked kept = asked.get(question);
      if (kept != null && kept.answer.equals(failed)) {
        asked.remove(question);
      }
    } finally {
      lock.unlock();
    }
  }
}
