package sluice.core;

import java.nio.file.Path;

/**
 * A place that holds the manifests and blobs of images. Its text form can be kept and read back
 * with {@link #parse}.
 */
public sealed interface Repository {

  /**
   * A repository of a registry.
   *
   * @param registry host, with a port if it has one: {@code registry.example:5000}
   * @param name path of the repository on that host: {@code library/debian}
   */
  record InRegistry(String registry, String name) implements Repository {
    public InRegistry {
      if (registry.isEmpty() || name.isEmpty()) {
        throw new IllegalArgumentException("repository: \"" + registry + "/" + name + "\"");
      }
    }

    @Override
    public String toString() {
      return registry + '/' + name;
    }
  }

  /** An OCI image layout on local disk (OCI image specification, "Image Layout"). */
  record InLayout(Path directory) implements Repository {
    public InLayout {
      directory = directory.toAbsolutePath().normalize();
    }

    @Override
    public String toString() {
      return LAYOUT_PREFIX + directory;
    }
  }

  /** What the text form of a layout begins with. */
  String LAYOUT_PREFIX = "oci:";

  /**
   * Reads the text form that {@code toString} gives.
   *
   * @throws IllegalArgumentException if it is neither {@code oci:DIRECTORY} nor {@code HOST/NAME}
   */
  static Repository parse(String text) {
    if (text.startsWith(LAYOUT_PREFIX)) {
      return new InLayout(Path.of(text.substring(LAYOUT_PREFIX.length())));
    }
    int slash = text.indexOf('/');
    if (slash < 0) {
      throw new IllegalArgumentException("repository: HOST/NAME expected, found \"" + text + "\"");
    }
    return new InRegistry(text.substring(0, slash), text.substring(slash + 1));
  }
}
