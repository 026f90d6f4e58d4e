package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.Digest;
import sluice.testing.DockerRegistry;
import sluice.testing.FaultyRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.RegistryFault;

/**
 * What a user of {@code sluice mount} sees when the registry fails; all reads by other processes.
 */
@Timeout(180)
final class MountFaultsIT {

  private static final Fixtures SMALL = Fixtures.of("small");
  private static final String TAG = "nydus-zstd";

  /** A file of one chunk, in the image's lowest layer. */
  private static final String FILE = "dup/block";

  private static final Digest BLOB = SMALL.document(TAG).layers().getFirst().digest();

  private static DockerRegistry behind;

  @TempDir private Path temporary = Path.of("");
  private FaultyRegistry registry;
  private Path target;

  @BeforeAll
  static void push() throws Exception {
    behind = DockerRegistry.open();
    LayoutPush.push(SMALL.directory(), behind.host(), "team/small");
  }

  @AfterAll
  static void endRegistry() throws IOException {
    behind.close();
  }

  @BeforeEach
  void open() throws IOException {
    registry = FaultyRegistry.before(behind);
    target = Files.createDirectory(temporary.resolve("mnt"));
  }

  @AfterEach
  void close() throws Exception {
    Shell.unmountBelow(temporary);
    registry.close();
  }

  /** Faults, and what the one line must say besides the registry and the repository. */
  static Stream<Arguments> faults() {
    return Stream.of(
        Arguments.of(new RegistryFault.Status(401), "401"),
        Arguments.of(new RegistryFault.Status(403), "403"),
        Arguments.of(new RegistryFault.Status(404), "404"),
        Arguments.of(new RegistryFault.TooManyRequests(Duration.ofSeconds(1)), "429"),
        Arguments.of(new RegistryFault.Status(500), "500"),
        Arguments.of(new RegistryFault.RedirectLoop(), "redirect"),
        Arguments.of(new RegistryFault.ShortBody(7), ""));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void mount_fromARegistryThatFails_saysSoInOneLine(RegistryFault fault, String said)
      throws Exception {
    registry.fail(fault);
    try (SluiceProcess sluice = mount()) {
      assertThat(sluice.end(Duration.ofSeconds(90))).isEqualTo(1);
      assertThat(sluice.log().lines())
          .singleElement()
          .asString()
          .startsWith("sluice: ")
          .contains(registry.host(), "team/small")
          .containsIgnoringCase(said);
    }
  }

  /** What a mount asks for before its first line. */
  enum Step {
    MANIFEST,
    /** An ordinary one, which is streamed. */
    LAYER;

    boolean asked(FaultyRegistry.Request request) {
      return switch (this) {
        case MANIFEST -> request.blob().isEmpty();
        case LAYER ->
            SMALL.document(Fixtures.SOURCE).layers().stream()
                .anyMatch(layer -> request.isFor(layer.digest()));
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  void mount_fromARegistryThatHangs_endsWhenItIsInterrupted(Step step) throws Exception {
    registry.fail(step::asked, new RegistryFault.Hang());
    try (SluiceProcess sluice = mount(Fixtures.SOURCE)) {
      awaitRequest(step::asked);
      long begin = System.nanoTime();
      assertThat(sluice.interrupt()).isEqualTo(1);
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(15));
      assertThat(sluice.log()).isEqualTo("sluice: interrupted\n");
    }
    assertThat(target).isEmptyDirectory();
    registry.mend();
    try (SluiceProcess sluice = mount(Fixtures.SOURCE).await(" is mounted at ")) {
      assertThat(Shell.sha256(target.resolve(FILE)).done()).isEqualTo(expected(FILE));
      assertThat(sluice.stop()).isZero();
    }
  }

  @Test
  void mount_fromARegistryThatAsksToWait_waits() throws Exception {
    registry.fail(new RegistryFault.TooManyRequests(Duration.ofSeconds(2)));
    try (SluiceProcess sluice = mount()) {
      awaitRequest(request -> true);
      registry.mend();
      var _ = sluice.await(" is mounted at ");
      assertThat(Shell.sha256(target.resolve(FILE)).done()).isEqualTo(expected(FILE));
      assertThat(sluice.stop()).isZero();
    }
  }

  @Test
  void mount_fromARegistryThatAsksToWaitForLong_endsAtOnce() throws Exception {
    registry.fail(new RegistryFault.TooManyRequests(Duration.ofDays(1)));
    try (SluiceProcess sluice = mount()) {
      assertThat(sluice.end(Duration.ofSeconds(90))).isEqualTo(1);
      assertThat(sluice.log().lines())
          .singleElement()
          .asString()
          .startsWith("sluice: ")
          .contains(registry.host(), "status 429, to be asked again in 86400 s");
    }
    assertThat(registry.requests()).hasSize(1);
  }

  @Test
  void read_ofAWrongByte_isAnErrorUntilTheRegistryIsMended() throws Exception {
    try (SluiceProcess sluice = mount().await(" is mounted at ")) {
      // The first answer shows where in the blob the chunk begins.
      registry.fail(request -> request.isFor(BLOB), new RegistryFault.Status(404));
      assertUnreadable();
      long chunk = registry.requestsFor(BLOB).getFirst().range().orElseThrow().first();

      registry.fail(request -> request.isFor(BLOB), new RegistryFault.WrongByte(chunk + 100));
      assertUnreadable();
      assertThat(sluice.log().lines())
          .anySatisfy(line ->
              assertThat(line).contains(BLOB.hex(), Long.toString(chunk), " expected", " found"));

      registry.mend();
      assertThat(Shell.sha256(target.resolve(FILE)).done()).isEqualTo(expected(FILE));
      assertThat(sluice.stop()).isZero();
    }
  }

  /** Faults of a read, and what the line that tells of it must say. */
  static Stream<Arguments> faultsOfReads() {
    return Stream.of(
        Arguments.of(new RegistryFault.ShortBody(1000), "end of stream"),
        Arguments.of(new RegistryFault.RedirectLoop(), "redirect"),
        Arguments.of(new RegistryFault.TooManyRequests(Duration.ofHours(1)), "again in 3600 s"),
        Arguments.of(new RegistryFault.Status(503), "status 503"));
  }

  @ParameterizedTest
  @MethodSource("faultsOfReads")
  void read_whileTheRegistryFails_isAnErrorUntilItIsMended(RegistryFault fault, String said)
      throws Exception {
    try (SluiceProcess sluice = mount().await(" is mounted at ")) {
      registry.fail(request -> request.isFor(BLOB), fault);
      assertUnreadable();
      assertThat(sluice.log().lines())
          .anySatisfy(
              line -> assertThat(line).contains("EIO", registry.host(), BLOB.hex()).contains(said));
      registry.mend();
      assertThat(Shell.sha256(target.resolve(FILE)).done()).isEqualTo(expected(FILE));
      assertThat(sluice.stop()).isZero();
    }
  }

  @Test
  void read_fromARegistryThatIgnoresRanges_isRight() throws Exception {
    try (SluiceProcess sluice = mount().await(" is mounted at ")) {
      registry.fail(request -> request.isFor(BLOB), new RegistryFault.WholeInsteadOfRange());
      assertThat(Shell.sha256(target.resolve(FILE)).done()).isEqualTo(expected(FILE));
      assertThat(registry.requestsFor(BLOB).getFirst().range()).isPresent();
      assertThat(sluice.stop()).isZero();
    }
  }

  private void awaitRequest(Predicate<FaultyRegistry.Request> expected)
      throws InterruptedException {
    long deadline = System.nanoTime() + SluiceProcess.START_LIMIT.toNanos();
    while (registry.requests().stream().noneMatch(expected)) {
      assertThat(System.nanoTime()).as("asked: %s", registry.requests()).isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  private SluiceProcess mount() throws IOException {
    return mount(TAG);
  }

  private SluiceProcess mount(String tag) throws IOException {
    return SluiceProcess.start(
        temporary.resolve("log"),
        Map.of(),
        "mount",
        "--root",
        temporary.resolve("root").toString(),
        registry.host() + "/team/small:" + tag,
        target.toString());
  }

  private void assertUnreadable() throws Exception {
    Shell.Result read = Shell.sha256(target.resolve(FILE));
    assertThat(read.status()).isEqualTo(1);
    assertThat(read.output()).contains("Input/output error");
  }

  private static String expected(String path) throws IOException {
    return Expected.sha256(SMALL, path);
  }
}
