package sluice.formats.soci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import sluice.core.FetchException;

@Timeout(60)
class AnswersTest {

  private static final Duration LONG = Duration.ofHours(9);

  private volatile Instant now = Instant.EPOCH;
  private final Answers<Integer, String> answers = new Answers<>(() -> now);
  private final AtomicInteger asked = new AtomicInteger();

  private Callable<String> counted(String answer) {
    return () -> answer + asked.incrementAndGet();
  }

  @Test
  void get_again_asksNobodyUntilItIsOld() throws Exception {
    assertThat(answers.get(1, LONG, counted("a"))).isEqualTo("a1");
    now = now.plus(Answers.KEPT);
    assertThat(answers.get(1, LONG, counted("b"))).isEqualTo("a1");
    now = now.plusMillis(1);
    assertThat(answers.get(1, LONG, counted("c"))).isEqualTo("c2");
  }

  @Test
  void get_questionThatHangs_isGivenUpWhenSomebodyAsksAnew() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    CountDownLatch begun = new CountDownLatch(1);
    CompletableFuture<Throwable> waiting = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            waiting.complete(
                new AssertionError(
                    answers.get(
                        1,
                        LONG,
                        () -> {
                          begun.countDown();
                          never.await();
                          return "never";
                        })));
          } catch (IOException | InterruptedException | RuntimeException e) {
            waiting.complete(e);
          }
        });
    begun.await();
    now = now.plus(Answers.KEPT).plusMillis(1);

    assertThat(answers.get(1, LONG, counted("a"))).isEqualTo("a1");

    assertThat(waiting.get()).isInstanceOf(FetchException.class).hasMessageContaining("given up");
  }

  @Test
  void get_manyQuestions_forgetsTheOldest() throws Exception {
    for (int i = 0; i < 1000; i++) {
      answers.get(i, LONG, counted(""));
    }
    assertThat(answers.get(999, LONG, counted(""))).isEqualTo("1000");
    assertThat(answers.get(0, LONG, counted(""))).isEqualTo("1001");
  }

  @Test
  void get_afterAFailure_asksAgainWhenItIsOld() throws Exception {
    Callable<String> failing =
        () -> {
          asked.incrementAndGet();
          // As long as it takes a registry not to answer.
          now = now.plus(Duration.ofMinutes(5));
          throw new IOException("down");
        };
    assertThatThrownBy(() -> answers.get(1, LONG, failing)).hasMessage("down");
    now = now.plus(Answers.FAILURE_KEPT);
    assertThatThrownBy(() -> answers.get(1, LONG, failing)).hasMessage("down");
    assertThat(asked).hasValue(1);
    now = now.plusMillis(1);
    assertThat(answers.get(1, LONG, counted("up"))).isEqualTo("up2");
  }

  @Test
  void get_noAnswerInTime_failsAndTheQuestionGoesOn() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    Callable<String> waiting =
        () -> {
          gate.await();
          return "late";
        };
    assertThatThrownBy(() -> answers.get(1, Duration.ZERO, waiting))
        .isInstanceOf(FetchException.class)
        .hasMessage("1: no answer within 0 s");
    now = now.plusSeconds(30);
    assertThatThrownBy(() -> answers.get(1, Duration.ofSeconds(30), counted("")))
        .as("counted from the question on")
        .hasMessageContaining("no answer within 30 s");
    gate.countDown();
    assertThat(answers.get(1, LONG, counted(""))).isEqualTo("late");
  }

  @Test
  void get_questionThatHangs_isInterruptedByTheNext() throws Exception {
    CompletableFuture<String> end = new CompletableFuture<>();
    CountDownLatch begun = new CountDownLatch(1);
    Callable<String> hanging =
        () -> {
          try {
            begun.countDown();
            new CountDownLatch(1).await();
            return "never";
          } catch (InterruptedException e) {
            end.complete("interrupted");
            throw e;
          }
        };
    assertThatThrownBy(() -> answers.get(1, Duration.ZERO, hanging))
        .isInstanceOf(FetchException.class);
    begun.await();
    now = now.plus(Answers.KEPT).plusMillis(1);
    assertThat(answers.get(1, LONG, counted("b"))).isEqualTo("b1");
    assertThat(end.get()).isEqualTo("interrupted");
  }
}
