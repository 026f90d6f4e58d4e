package sluice.snapshotter.image;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import sluice.core.Platform;

/**
 * Which platforms a host can run, best first; the order in which containerd takes them, so that
 * Sluice and containerd choose the same manifest of an index.
 */
final class PlatformOrder {

  /** What {@link #rank} answers for a platform that the host cannot run. */
  static final int NO_MATCH = Integer.MAX_VALUE;

  private static final int HIGHEST_AMD64_VARIANT = 4;
  private static final int HIGHEST_ARM64_VARIANT = 9;
  private static final int HIGHEST_ARM_VARIANT = 8;
  private static final int LOWEST_ARM_VARIANT = 5;

  private final Platform wanted;
  private final List<Platform> order;

  PlatformOrder(Platform platform) {
    wanted = normal(platform);
    order = order(wanted);
  }

  /** 0 for the best match, more for worse ones, {@link #NO_MATCH} for none. */
  int rank(Platform offered) {
    int rank = order.indexOf(normal(offered));
    return rank < 0 ? NO_MATCH : rank;
  }

  Platform wanted() {
    return wanted;
  }

  private static List<Platform> order(Platform platform) {
    List<Platform> order = new ArrayList<>();
    String os = platform.os();
    int variant = number(platform.variant());
    switch (platform.architecture()) {
      case "amd64" -> {
        variants(order, os, "amd64", Math.min(variant, HIGHEST_AMD64_VARIANT), 1);
        order.add(new Platform(os, "386"));
      }
      case "arm64" -> {
        variants(order, os, "arm64", Math.min(variant, HIGHEST_ARM64_VARIANT), 8);
        variants(order, os, "arm", HIGHEST_ARM_VARIANT, LOWEST_ARM_VARIANT);
      }
      case "arm" ->
          variants(order, os, "arm", Math.min(variant, HIGHEST_ARM_VARIANT), LOWEST_ARM_VARIANT);
      default -> order.add(platform);
    }
    if (!order.contains(platform)) {
      order.addFirst(platform);
    }
    return List.copyOf(order);
  }

  private static void variants(List<Platform> order, String os, String arch, int from, int to) {
    for (int variant = from; variant >= to; variant--) {
      order.add(new Platform(os, arch, "v" + variant, List.of()));
    }
  }

  /** The number of a variant {@code v7}; 0 for any other text, which then matches only itself. */
  private static int number(String variant) {
    return variant.matches("v[0-9]") ? variant.charAt(1) - '0' : 0;
  }

  /** One spelling for each platform, and no features: they do not say what a host can run. */
  private static Platform normal(Platform platform) {
    String os = platform.os().toLowerCase(Locale.ROOT);
    String arch = platform.architecture().toLowerCase(Locale.ROOT);
    String variant = platform.variant().toLowerCase(Locale.ROOT);
    return switch (arch) {
      case "amd64", "x86_64", "x86-64" -> of(os, "amd64", variant.isEmpty() ? "v1" : variant);
      case "arm64", "aarch64" -> of(os, "arm64", variant.isEmpty() ? "v8" : numbered(variant));
      case "arm" -> of(os, "arm", variant.isEmpty() ? "v7" : numbered(variant));
      case "armhf" -> of(os, "arm", "v7");
      case "armel" -> of(os, "arm", "v6");
      case "i386", "i686" -> of(os, "386", "");
      default -> of(os, arch, variant);
    };
  }

  /** {@code 8} is written for {@code v8} by some tools. */
  private static String numbered(String variant) {
    return variant.matches("[0-9]") ? "v" + variant : variant;
  }

  private static Platform of(String os, String arch, String variant) {
    return new Platform(os, arch, variant, List.of());
  }
}
