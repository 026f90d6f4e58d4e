package sluice.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class CredentialsTest {

  private static final String ALICE =
      Base64.getEncoder().encodeToString("alice:pw".getBytes(StandardCharsets.UTF_8));

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "registry.example:5000",
        "https://registry.example:5000",
        "http://registry.example:5000/v1/",
        "https://registry.example:5000/v2/"
      })
  void find_anySpellingOfTheHost_isFound(String key) throws Exception {
    config("{\"auths\":{\"other\":{},\"" + key + "\":{\"auth\":\"" + ALICE + "\"}}}");
    assertThat(find("registry.example:5000")).contains(new Credential.Password("alice", "pw"));
    assertThat(find("registry.example")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"https://index.docker.io/v1/", "docker.io", "registry-1.docker.io"})
  void find_dockerHub_hasManyNames(String key) throws Exception {
    config("{\"auths\":{\"" + key + "\":{\"auth\":\"" + ALICE + "\"}}}");
    assertThat(find("docker.io")).contains(new Credential.Password("alice", "pw"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"auths\":{\"r\":{\"auth\":\"!\"}}}",
        "{\"auths\":{\"r\":{\"auth\":\"YWxpY2U=\"}}}",
        "{\"auths\":{\"r\":{\"auth\":7}}}",
        "{\"auths\":[]}",
        "{\"auths\":{\"r\":{}}}",
        "{\"credsStore\":\"../../bin/sh\"}",
        "{\"credsStore\":\"not-installed-anywhere\"}",
        "not json"
      })
  void find_nonsense_isNone(String json) throws Exception {
    config(json);
    assertThat(find("r")).isEmpty();
  }

  @Test
  void find_helperOfTheHost_isAskedBeforeTheStore() throws Exception {
    helper(
        "one",
        "read server; echo \"{\\\"Username\\\":\\\"for-$server\\\",\\\"Secret\\\":\\\"1\\\"}\"");
    helper("two", "echo '{\"Username\":\"<token>\",\"Secret\":\"2\"}'");
    config("{\"credsStore\":\"two\",\"credHelpers\":{\"r.example\":\"one\"}}");
    assertThat(find("r.example")).contains(new Credential.Password("for-r.example", "1"));
    assertThat(find("s.example")).contains(new Credential.IdentityToken("2"));
  }

  @Test
  void find_helperKnowsNothing_fallsBackToAuths() throws Exception {
    helper("none", "echo 'credentials not found in native keychain'; exit 1");
    config("{\"credsStore\":\"none\",\"auths\":{\"r\":{\"auth\":\"" + ALICE + "\"}}}");
    assertThat(find("r")).contains(new Credential.Password("alice", "pw"));
  }

  @Test
  void get_helperHangs_isEnded() throws Exception {
    helper("hangs", "sleep 61.75");
    assertThatThrownBy(() -> helper(Duration.ofMillis(300)).get("hangs", "r"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("docker-credential-hangs: no answer within");
    assertThat(ProcessHandle.allProcesses())
        .noneMatch(p -> p.info().commandLine().orElse("").endsWith("sleep 61.75"));
  }

  @Test
  void get_helperPrintsWithoutEnd_isEnded() throws Exception {
    helper("endless", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done");
    assertThatThrownBy(() -> helper(Duration.ofSeconds(10)).get("endless", "r"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("more than " + Limits.HELPER_BYTES + " bytes");
  }

  @Test
  void get_helperFails_saysItsStatusAndNotItsOutput() throws Exception {
    helper("fails", "echo secret; exit 3");
    assertThatThrownBy(() -> helper(Duration.ofSeconds(10)).get("fails", "r"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("exit status 3")
        .hasMessageNotContaining("secret");
  }

  @Test
  void place_withoutHome_isTheUsersOwn() {
    DockerConfig config = new DockerConfig(Map.of(), helper(Duration.ofSeconds(1)));
    assertThat(config.place()).contains("/.docker/config.json");
    DockerConfig home =
        new DockerConfig(Map.of("HOME", directory.toString()), helper(Duration.ofSeconds(1)));
    assertThat(home.place()).isEqualTo(directory + "/.docker/config.json (not there)");
  }

  @Test
  void toString_anyCredential_hidesTheSecret() {
    assertThat(new Credential.Password("alice", "s3cret").toString()).doesNotContain("s3cret");
    assertThat(new Credential.IdentityToken("s3cret").toString()).doesNotContain("s3cret");
    assertThat(new Credential.RegistryToken("s3cret").toString()).doesNotContain("s3cret");
    assertThat(RegistryConfig.ofProcess().withEnvironment(Map.of("A", "s3cret")).toString())
        .doesNotContain("s3cret");
  }

  private Optional<Credential> find(String registry) throws InterruptedException {
    return new DockerConfig(
            Map.of("DOCKER_CONFIG", directory.toString()), helper(Duration.ofSeconds(10)))
        .find(registry);
  }

  private CredentialHelper helper(Duration limit) {
    return new CredentialHelper(Map.of("PATH", directory + ":/usr/bin:/bin"), limit);
  }

  private void config(String json) throws IOException {
    Files.writeString(directory.resolve("config.json"), json);
  }

  private void helper(String name, String script) throws IOException {
    Path program = directory.resolve("docker-credential-" + name);
    Files.writeString(program, "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
