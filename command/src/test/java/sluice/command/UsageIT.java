package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a person sees who calls the command wrongly: the mistake, and exit code 2. */
@Timeout(180)
final class UsageIT {

  /** Words, and what is said of them. */
  record Mistake(List<String> words, List<String> said) {
    @Override
    public String toString() {
      return String.join(" ", words);
    }
  }

  static Stream<Mistake> mistakes() {
    return Stream.of(
        new Mistake(List.of("statsu"), List.of("statsu", "status")),
        new Mistake(List.of("bogus", "--help"), List.of("bogus")),
        new Mistake(List.of("cache", "bogus", "--help"), List.of("bogus", "`sluice cache --help`")),
        new Mistake(List.of("mount", "--driver", "usb", "a", "/b"), List.of("auto", "fuse")),
        new Mistake(List.of("mount", "--transport", "x", "a", "/b"), List.of("raw", "jnr")),
        new Mistake(List.of("status", "--adress", "/s"), List.of("--adress", "--address")),
        new Mistake(List.of("inspect"), List.of("IMAGE")),
        new Mistake(List.of("inspect", "UPPER CASE"), List.of("UPPER CASE")),
        new Mistake(List.of("inspect", "--platform", "linux", "a"), List.of("--platform", "linux")),
        new Mistake(List.of("doctor", "one", "two"), List.of("two")),
        new Mistake(List.of("pull"), List.of("IMAGE")),
        new Mistake(List.of("cache", "chek"), List.of("chek", "check")),
        new Mistake(List.of("cache", "prune", "--dry-rum"), List.of("--dry-rum", "--dry-run")));
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void mistake_isNamedWithWhatWasMeant(Mistake mistake) throws Exception {
    Cli.Result result = Cli.sluice(mistake.words.toArray(String[]::new));
    assertThat(result.status()).as(result.toString()).isEqualTo(2);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).contains(mistake.said);
    assertThat(result.err().lines()).hasSize(2);
    assertThat(result.err().lines().toList().getFirst()).startsWith("sluice: ");
    assertThat(result.err().lines().toList().getLast()).matches("see `sluice[ a-z]* --help`");
  }

  @Test
  void help_showsChoicesAsTheConfigurationSpellsThem() throws Exception {
    Cli.Result result = Cli.sluice("mount", "--help");
    assertThat(result.status()).isZero();
    assertThat(result.out()).contains("auto, fuse. Default: auto", "raw, jnr. Default:");
  }

  @Test
  void help_namesEachCommand() throws Exception {
    Cli.Result result = Cli.sluice("--help");
    assertThat(result.status()).isZero();
    assertThat(result.out())
        .contains("cache", "convert", "doctor", "inspect", "mount", "pull", "serve", "status");
  }
}
