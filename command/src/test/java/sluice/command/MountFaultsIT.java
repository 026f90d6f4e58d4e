package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
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

  @Test
  void read_ofAnAnswerThatIsTooLongOrTooShort_isRightOrAnError() throws Exception {
    try (SluiceProcess sluice = mount().await(" is mounted at ")) {
      registry.fail(request -> request.isFor(BLOB), new RegistryFault.ShortBody(1000));
      assertUnreadable();
      registry.fail(request -> request.isFor(BLOB), new RegistryFault.WholeInsteadOfRange());
      Shell.Result whole = Shell.sha256(target.resolve(FILE));
      if (whole.status() == 0) {
        assertThat(whole.output()).isEqualTo(expected(FILE));
      } else {
        assertThat(whole.output()).contains("Input/output error");
      }
      registry.mend();
      assertThat(Shell.sha256(target.resolve(FILE)).done()).isEqualTo(expected(FILE));
      assertThat(sluice.stop()).isZero();
    }
  }

  private SluiceProcess mount() throws IOException {
    return SluiceProcess.start(
        temporary.resolve("log"),
        Map.of(),
        "mount",
        "--root",
        temporary.resolve("root").toString(),
        registry.host() + "/team/small:" + TAG,
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
