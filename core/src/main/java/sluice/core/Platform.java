package sluice.core;

import java.util.List;

/**
 * What a manifest of an index was made for (OCI image specification, "Image Index", {@code
 * platform}).
 *
 * @param os for example {@code linux}
 * @param architecture for example {@code amd64}
 * @param variant for example {@code v8}; empty if none is given
 * @param osFeatures {@code os.features}; empty if none is given
 */
public record Platform(String os, String architecture, String variant, List<String> osFeatures) {

  public Platform {
    osFeatures = List.copyOf(osFeatures);
  }

  /** A platform without variant and features. */
  public Platform(String os, String architecture) {
    this(os, architecture, "", List.of());
  }

  /**
   * Reads {@code os/architecture[/variant]}.
   *
   * @throws IllegalArgumentException if the text has another form
   */
  public static Platform parse(String text) {
    String[] parts = text.split("/", -1);
    if (parts.length < 2 || parts.length > 3 || parts[0].isEmpty() || parts[1].isEmpty()) {
      throw new IllegalArgumentException(
          "platform: os/architecture[/variant] expected, found \"" + text + "\"");
    }
    return new Platform(parts[0], parts[1], parts.length == 3 ? parts[2] : "", List.of());
  }

  /** The platform that this JVM runs on, in the words of OCI. */
  public static Platform host() {
    String arch = System.getProperty("os.arch", "");
    return switch (arch) {
      case "amd64", "x86_64" -> new Platform("linux", "amd64");
      case "aarch64" -> new Platform("linux", "arm64", "v8", List.of());
      default -> new Platform("linux", arch);
    };
  }

  @Override
  public String toString() {
    return os + '/' + architecture + (variant.isEmpty() ? "" : '/' + variant);
  }
}
