package sluice.core;

import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The name of an image: a repository with a tag, a digest, or both (then the digest decides).
 *
 * <p>Short names are completed as containerd and Docker do: {@code debian} is {@code
 * docker.io/library/debian:latest}. {@code oci:DIRECTORY[:TAG]} names an image layout on disk.
 */
public record ImageReference(Repository repository, @Nullable String tag, @Nullable Digest digest) {

  private static final String DEFAULT_REGISTRY = "docker.io";
  private static final String DEFAULT_TAG = "latest";
  private static final Pattern TAG = Pattern.compile("[\\w][\\w.-]{0,127}");
  private static final Pattern NAME =
      Pattern.compile(
          "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*");

  public ImageReference {
    if (tag == null && digest == null) {
      throw new IllegalArgumentException("reference: " + repository + " has no tag and no digest");
    }
  }

  /**
   * Reads a reference (grammar of the distribution project's reference package).
   *
   * @throws IllegalArgumentException if the text is not a reference; the message says which part
   */
  public static ImageReference parse(String text) {
    return text.startsWith(Repository.LAYOUT_PREFIX)
        ? parseLayout(text.substring(Repository.LAYOUT_PREFIX.length()))
        : parseRegistry(text);
  }

  /** What a registry is asked for: the digest if there is one, else the tag. */
  public String selector() {
    Digest pinned = digest;
    String tagged = tag;
    if (pinned != null) {
      return pinned.toString();
    }
    if (tagged == null) {
      throw new AssertionError("the constructor requires a tag or a digest");
    }
    return tagged;
  }

  @Override
  public String toString() {
    return repository + (tag == null ? "" : ":" + tag) + (digest == null ? "" : "@" + digest);
  }

  private static ImageReference parseLayout(String rest) {
    int colon = rest.lastIndexOf(':');
    boolean tagged = colon > rest.lastIndexOf('/');
    String directory = tagged ? rest.substring(0, colon) : rest;
    String tag = tagged ? rest.substring(colon + 1) : DEFAULT_TAG;
    if (directory.isEmpty()) {
      throw new IllegalArgumentException(
          "reference: oci:DIRECTORY[:TAG] expected, found oci:" + rest);
    }
    return new ImageReference(new Repository.InLayout(Path.of(directory)), checkTag(tag), null);
  }

  private static ImageReference parseRegistry(String text) {
    String rest = text;
    Digest digest = null;
    int at = rest.indexOf('@');
    if (at >= 0) {
      digest = Digest.parse(rest.substring(at + 1));
      rest = rest.substring(0, at);
    }
    String tag = null;
    int colon = rest.lastIndexOf(':');
    if (colon > rest.lastIndexOf('/')) {
      tag = checkTag(rest.substring(colon + 1));
      rest = rest.substring(0, colon);
    }
    if (tag == null && digest == null) {
      tag = DEFAULT_TAG;
    }
    return new ImageReference(repository(rest), tag, digest);
  }

  private static Repository repository(String text) {
    int slash = text.indexOf('/');
    String first = slash < 0 ? "" : text.substring(0, slash);
    boolean named = first.contains(".") || first.contains(":") || first.equals("localhost");
    String registry = named ? first : DEFAULT_REGISTRY;
    String name = named ? text.substring(slash + 1) : text;
    if (!named && slash < 0) {
      name = "library/" + name;
    }
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "reference: \"%s\" is no repository name (lower-case letters, digits, and . _ - between them)"
              .formatted(name));
    }
    return new Repository.InRegistry(registry, name);
  }

  private static String checkTag(String tag) {
    if (!TAG.matcher(tag).matches()) {
      throw new IllegalArgumentException("reference: \"" + tag + "\" is no tag");
    }
    return tag;
  }
}
