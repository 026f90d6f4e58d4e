package sluice.command.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import sluice.command.config.Config.Trusted;
import sluice.core.ImageReference;
import sluice.core.Repository;

/**
 * Reads the table {@code trust}. What could never match an image or a signature is an error: who
 * lists it believes that it holds.
 */
final class TrustSection {

  /** What a public key's absolute path follows in a list. */
  private static final String KEY_PREFIX = "key:";

  /** A name or an IPv6 address, with a port or without one. */
  private static final Pattern HOST =
      Pattern.compile("(?:[A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+])(?::[0-9]{1,5})?");

  private static final String REGISTRIES =
      "\"allow\", \"deny\", or a list of registries (\"HOST\" or \"HOST:PORT\", as images name them, without a path), of image layouts (\"oci:/absolute/path\")";
  private static final String REGISTRIES_AND_KEYS =
      REGISTRIES + ", and of keys (\"key:/absolute/path\")";

  private TrustSection() {}

  static Config.Trust read(Section trust) throws ConfigException {
    Config.Trust otherwise = Config.DEFAULTS.trust();
    return new Config.Trust(
        trusted(trust, "unverified_diff_ids", REGISTRIES, otherwise.unverifiedDiffIds()),
        trusted(trust, "referrers", REGISTRIES_AND_KEYS, otherwise.referrers()),
        trusted(trust, "unpinned_indexes", REGISTRIES_AND_KEYS, otherwise.unpinnedIndexes()),
        trust.choice("check_layers", Config.CheckLayers.class, otherwise.checkLayers()));
  }

  private static Trusted trusted(Section trust, String key, String expected, Trusted otherwise)
      throws ConfigException {
    JsonNode value = trust.value(key);
    if (value == null) {
      return otherwise;
    }
    if (value.isTextual()) {
      return switch (value.textValue()) {
        case "allow" -> new Trusted.Allow();
        case "deny" -> new Trusted.Deny();
        default -> throw trust.wrong(key, expected, value);
      };
    }
    boolean keysTaken = expected.equals(REGISTRIES_AND_KEYS);
    Set<String> registries = new LinkedHashSet<>();
    List<Path> keys = new ArrayList<>();
    for (String entry : trust.texts(key, expected, List.of())) {
      Optional<Path> file = keysTaken ? path(entry, KEY_PREFIX) : Optional.empty();
      Optional<Path> layout = path(entry, Repository.LAYOUT_PREFIX);
      if (file.isPresent()) {
        keys.add(file.get());
      } else if (layout.isPresent()) {
        registries.add(new Repository.InLayout(layout.get()).toString());
      } else if (isRegistry(entry)) {
        registries.add(entry);
      } else {
        throw trust.wrong(key, expected, TextNode.valueOf(entry));
      }
    }
    return new Trusted.From(registries, keys);
  }

  /** The absolute path that follows a prefix; empty if none does. */
  private static Optional<Path> path(String entry, String prefix) {
    try {
      return Optional.of(entry)
          .filter(text -> text.startsWith(prefix))
          .map(text -> Path.of(text.substring(prefix.length())))
          .filter(Path::isAbsolute);
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  /**
   * Whether images can be of a registry of that name: {@code team} alone is a user of Docker Hub.
   */
  private static boolean isRegistry(String entry) {
    return HOST.matcher(entry).matches()
        && ImageReference.parse(entry + "/image").repository()
            instanceof Repository.InRegistry(String registry, String _)
        && registry.equals(entry);
  }
}
