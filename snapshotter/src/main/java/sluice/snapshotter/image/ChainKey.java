package sluice.snapshotter.image;

import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import sluice.core.Digest;

/**
 * Names a merged image: the hash over all that went into it. Short, because the names of mounts are
 * made of it and overlayfs options have 4095 bytes.
 *
 * @param hex 32 lower-case hexadecimal digits
 */
public record ChainKey(String hex) {

  private static final Pattern HEX = Pattern.compile("[0-9a-f]{32}");

  /** Part of the hash, so that images merged by other rules have other names. */
  private static final String RULES = "sluice merge 3";

  public ChainKey {
    if (!HEX.matcher(hex).matches()) {
      throw new IllegalArgumentException("chain key: \"" + hex + "\"");
    }
  }

  static ChainKey of(MergeInput input) {
    String text =
        Stream.of(
                Stream.of(RULES),
                input.below().stream().map(MergeInput.Below::name),
                Stream.of("-"),
                input.layers().stream().map(layer -> layer.key().toString()))
            .flatMap(lines -> lines)
            .collect(Collectors.joining("\n"));
    return new ChainKey(
        Digest.sha256(text.getBytes(StandardCharsets.UTF_8)).hex().substring(0, 32));
  }

  static boolean isOne(String text) {
    return HEX.matcher(text).matches();
  }

  @Override
  public String toString() {
    return hex;
  }
}
