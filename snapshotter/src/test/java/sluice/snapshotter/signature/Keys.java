package sluice.snapshotter.signature;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Keys and signatures that openssl makes, the foreign oracle of ours. */
public record Keys(Path directory) {

  public static final List<List<String>> ALGORITHMS =
      List.of(
          List.of("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
          List.of("-algorithm", "ED25519"),
          List.of("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"));

  /** A private key {@code NAME.key} and its public key {@code NAME.pub}. */
  public Path make(String name, List<String> algorithm) throws IOException, InterruptedException {
    Path key = directory.resolve(name + ".key");
    openssl("genpkey", algorithm, "-out", key.toString());
    openssl("pkey", List.of("-in", key.toString()), "-pubout", "-out", publicKey(key).toString());
    return key;
  }

  public static Path publicKey(Path key) {
    return key.resolveSibling(String.valueOf(key.getFileName()).replace(".key", ".pub"));
  }

  static void openssl(String command, List<String> options, String... more)
      throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(List.of("openssl", command));
    line.addAll(options);
    line.addAll(List.of(more));
    Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s: %s", line, output).isZero();
  }
}
