package sluice.command;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import sluice.testing.Fixtures;

/** The content of fixtures, as their listings have it. */
final class Expected {

  private static final Pattern PATH = Pattern.compile("\"path\": ?\"([^\"%]+)\"");
  private static final Pattern SHA256 = Pattern.compile("\"sha256\": ?\"([0-9a-f]{64})\"");

  private Expected() {}

  /** The SHA-256 of a file. */
  static String sha256(Fixtures image, String path) throws IOException {
    return lines(image).stream()
        .filter(line -> first(PATH, line).equals(path))
        .map(line -> first(SHA256, line))
        .findFirst()
        .orElseThrow();
  }

  /** The regular files with names that need no quotes. */
  static List<String> files(Fixtures image) throws IOException {
    return lines(image).stream()
        .filter(line -> !first(SHA256, line).isEmpty())
        .map(line -> first(PATH, line))
        .filter(path -> path.matches("[\\w/.-]+"))
        .toList();
  }

  private static List<String> lines(Fixtures image) throws IOException {
    String name = image.directory().getFileName() + ".expected.jsonl";
    return Files.readAllLines(Fixtures.root().resolve(name));
  }

  private static String first(Pattern pattern, String line) {
    Matcher matcher = pattern.matcher(line);
    return matcher.find() ? matcher.group(1) : "";
  }
}
