package sluice.registry;

import java.io.IOException;
import java.io.OutputStream;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.Bytes;

/**
 * Asks programs named {@code docker-credential-NAME} (docker-credential-helpers, "Development"):
 * the server on standard input, a JSON object with {@code Username} and {@code Secret} on standard
 * output. Time and output are bounded; what it prints is never logged.
 */
final class CredentialHelper {

  private static final Logger log = LoggerFactory.getLogger(CredentialHelper.class);

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

  /** The user name that says that the secret is an identity token. */
  private static final String TOKEN_USER = "<token>";

  private static final String NOT_FOUND = "credentials not found";

  private final Map<String, String> environment;
  private final Duration limit;

  CredentialHelper(Map<String, String> environment, Duration limit) {
    this.environment = environment;
    this.limit = limit;
  }

  /**
   * The credentials that helper {@code name} has for {@code server}, if it has any.
   *
   * @throws IOException if the helper is not there, fails, or takes too long
   */
  Optional<Credential> get(String name, String server) throws IOException, InterruptedException {
    if (!NAME.matcher(name).matches()) {
      throw new IOException("credential helper \"" + name + "\": no name of a program");
    }
    String program = "docker-credential-" + name;
    ProcessBuilder builder = new ProcessBuilder(find(program).toString(), "get");
    builder.environment().putAll(environment);
    builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    Process process = builder.start();
    try {
      return credential(program, process, ask(program, process, server));
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  /** By PATH of the given environment; Java itself would look in that of this process. */
  private Path find(String program) throws IOException {
    for (String directory : environment.getOrDefault("PATH", "").split(":", -1)) {
      Path candidate = Path.of(directory, program);
      if (!directory.isEmpty() && Files.isExecutable(candidate)) {
        return candidate;
      }
    }
    throw new IOException(program + ": no such program in PATH; install it, or change config.json");
  }

  private Bytes ask(String program, Process process, String server)
      throws IOException, InterruptedException {
    Deadline deadline = Deadline.after(limit);
    CompletableFuture<byte[]> output = new CompletableFuture<>();
    // A platform thread: a read from a pipe holds its carrier.
    Thread.ofPlatform()
        .daemon()
        .name(program)
        .start(() ->
            Waiting.complete(
                output,
                () -> {
                  tell(process, server);
                  return process.getInputStream().readNBytes(Limits.HELPER_BYTES + 1);
                },
                late -> {}));
    byte[] bytes;
    try {
      bytes = Waiting.get(output, deadline);
    } catch (SocketTimeoutException e) {
      throw new IOException(program + ": no answer within " + limit.toSeconds() + " s", e);
    }
    if (bytes.length > Limits.HELPER_BYTES) {
      throw new IOException(program + ": more than " + Limits.HELPER_BYTES + " bytes of output");
    }
    if (!process.waitFor(deadline.remainingNanos(), TimeUnit.NANOSECONDS)) {
      throw new IOException(program + ": did not end within " + limit.toSeconds() + " s");
    }
    return Bytes.of(bytes);
  }

  private static void tell(Process process, String server) {
    try (OutputStream stdin = process.getOutputStream()) {
      stdin.write(server.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // It ended without reading; its exit status says why.
      log.debug("a credential helper did not read what it was asked", e);
    }
  }

  private static Optional<Credential> credential(String program, Process process, Bytes output)
      throws IOException {
    int status = process.exitValue();
    if (status != 0) {
      if (output.toString().contains(NOT_FOUND)) {
        return Optional.empty();
      }
      throw new IOException(program + ": exit status " + status);
    }
    JsonObject answer = JsonObject.parse(output, "output of " + program);
    String user = answer.text("Username");
    String secret = answer.text("Secret");
    if (user.equals(TOKEN_USER)) {
      return Optional.of(new Credential.IdentityToken(secret));
    }
    return user.isEmpty() && secret.isEmpty()
        ? Optional.empty()
        : Optional.of(new Credential.Password(user, secret));
  }
}
