package sluice.registry;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * Credentials as {@code docker login} leaves them: {@code config.json} with its fields {@code
 * credHelpers}, {@code credsStore} and {@code auths}, in that order. The file is read anew each
 * time, so that a login needs no restart. What can't be read is logged, and counts as no
 * credentials: public images must not need a sound configuration.
 */
final class DockerConfig {

  private static final Logger log = LoggerFactory.getLogger(DockerConfig.class);

  /** The name that Docker keeps the credentials of Docker Hub under. */
  private static final String DOCKER_HUB_KEY = "https://index.docker.io/v1/";

  private static final Set<String> DOCKER_HUB_HOSTS =
      Set.of("docker.io", "index.docker.io", "registry-1.docker.io");

  private final Map<String, String> environment;
  private final CredentialHelper helper;

  DockerConfig(Map<String, String> environment, CredentialHelper helper) {
    this.environment = environment;
    this.helper = helper;
  }

  /** The credentials for {@code registry}, the host of a reference. */
  Optional<Credential> find(String registry) throws InterruptedException {
    Optional<Path> file = file();
    if (file.isEmpty()) {
      return Optional.empty();
    }
    try {
      return find(registry, read(file.get()));
    } catch (IOException e) {
      log.warn("credentials for {} not used: {}", registry, e.getMessage());
      return Optional.empty();
    }
  }

  /** Where credentials are looked for, for messages. */
  String place() {
    return file().map(Path::toString).orElse(candidates().getFirst() + " (not there)");
  }

  private Optional<Path> file() {
    return candidates().stream().filter(Files::isRegularFile).findFirst();
  }

  /** A service may run without HOME; its user has a home nevertheless. */
  private List<Path> candidates() {
    String explicit = environment.getOrDefault("DOCKER_CONFIG", "");
    if (!explicit.isEmpty()) {
      return List.of(Path.of(explicit, "config.json"));
    }
    Set<String> homes = new LinkedHashSet<>();
    homes.add(environment.getOrDefault("HOME", ""));
    if (homes.contains("")) {
      homes.clear();
      homes.add(System.getProperty("user.home", "/root"));
      homes.add("/root");
    }
    List<Path> files = new ArrayList<>();
    for (String home : homes) {
      files.add(Path.of(home, ".docker", "config.json"));
    }
    return files;
  }

  private static JsonObject read(Path file) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(Limits.DOCKER_CONFIG_BYTES + 1);
    }
    if (bytes.length > Limits.DOCKER_CONFIG_BYTES) {
      throw new CorruptException(
          "more than " + Limits.DOCKER_CONFIG_BYTES + " bytes", file.toString(), -1);
    }
    return JsonObject.parse(Bytes.of(bytes), file.toString());
  }

  private Optional<Credential> find(String registry, JsonObject config)
      throws IOException, InterruptedException {
    List<String> keys = keys(registry);
    Optional<String> program = Optional.empty();
    Optional<JsonObject> helpers = config.object("credHelpers");
    for (String key : keys) {
      if (program.isEmpty() && helpers.isPresent()) {
        program = helpers.get().optionalText(key);
      }
    }
    if (program.isEmpty()) {
      program = config.optionalText("credsStore");
    }
    if (program.isPresent() && !program.get().isEmpty()) {
      Optional<Credential> helped = helper.get(program.get(), keys.getFirst());
      if (helped.isPresent()) {
        return helped;
      }
    }
    Optional<JsonObject> auths = config.object("auths");
    return auths.isEmpty() ? Optional.empty() : fromAuths(keys, auths.get());
  }

  private static List<String> keys(String registry) {
    return DOCKER_HUB_HOSTS.contains(registry)
        ? List.of(DOCKER_HUB_KEY, "index.docker.io", "docker.io", "registry-1.docker.io")
        : List.of(registry, "https://" + registry);
  }

  private static Optional<Credential> fromAuths(List<String> keys, JsonObject auths)
      throws CorruptException {
    for (String key : keys) {
      for (String name : auths.names()) {
        if (hostOf(name).equals(hostOf(key))) {
          Optional<JsonObject> auth = auths.object(name);
          Optional<Credential> found = auth.isEmpty() ? Optional.empty() : credential(auth.get());
          if (found.isPresent()) {
            return found;
          }
        }
      }
    }
    return Optional.empty();
  }

  /** Keys may be hosts, or URLs with a path of an API version. */
  private static String hostOf(String key) {
    String rest = key.substring(key.indexOf("://") < 0 ? 0 : key.indexOf("://") + 3);
    int slash = rest.indexOf('/');
    return slash < 0 ? rest : rest.substring(0, slash);
  }

  private static Optional<Credential> credential(JsonObject auth) throws CorruptException {
    String identity = auth.optionalText("identitytoken").orElse("");
    if (!identity.isEmpty()) {
      return Optional.of(new Credential.IdentityToken(identity));
    }
    String token = auth.optionalText("registrytoken").orElse("");
    if (!token.isEmpty()) {
      return Optional.of(new Credential.RegistryToken(token));
    }
    String encoded = auth.optionalText("auth").orElse("");
    if (!encoded.isEmpty()) {
      return Optional.of(decode(auth, encoded));
    }
    String user = auth.optionalText("username").orElse("");
    String password = auth.optionalText("password").orElse("");
    return user.isEmpty() ? Optional.empty() : Optional.of(new Credential.Password(user, password));
  }

  private static Credential decode(JsonObject auth, String encoded) throws CorruptException {
    String pair;
    try {
      pair = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw auth.corrupt("auth is not base64");
    }
    int colon = pair.indexOf(':');
    if (colon < 1) {
      throw auth.corrupt("auth is not the base64 form of USER:PASSWORD");
    }
    // Old versions of Docker padded with zero bytes.
    String password = pair.substring(colon + 1).replaceAll("\0+$", "");
    return new Credential.Password(pair.substring(0, colon), password);
  }
}
