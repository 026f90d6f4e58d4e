package sluice.snapshotter.state;

import static sluice.snapshotter.state.SnapshotException.Code.INVALID_ARGUMENT;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Reads one filter; its syntax is that of {@link Filter}. For one thread, once. */
final class FilterParser {

  private final String text;
  private int at;

  FilterParser(String text) {
    this.text = text;
  }

  /** The selectors; none if the filter is empty, which matches everything. */
  List<Filter.Selector> parse() throws SnapshotException {
    List<Filter.Selector> selectors = new ArrayList<>();
    skipSpace();
    if (at == text.length()) {
      return selectors;
    }
    while (true) {
      selectors.add(selector());
      skipSpace();
      if (at == text.length()) {
        return selectors;
      }
      expect(',', "\",\" or the end");
    }
  }

  private Filter.Selector selector() throws SnapshotException {
    List<String> path = new ArrayList<>(List.of(field()));
    while (at < text.length() && text.charAt(at) == '.') {
      at++;
      path.add(field());
    }
    skipSpace();
    return new Filter.Selector(path, condition());
  }

  private Predicate<Optional<String>> condition() throws SnapshotException {
    if (at == text.length() || text.charAt(at) == ',') {
      return Optional::isPresent;
    }
    String operator = text.substring(at, Math.min(at + 2, text.length()));
    int start = at;
    at += operator.length();
    return switch (operator) {
      case "==" -> {
        Optional<String> value = Optional.of(value(""));
        yield value::equals;
      }
      case "!=" -> {
        String value = value("");
        yield found -> !found.orElse("").equals(value);
      }
      case "~=" -> {
        Pattern pattern = pattern(value("/|"));
        yield found -> pattern.matcher(found.orElse("")).find();
      }
      default -> {
        at = start;
        throw error("one of == != ~=, \",\" or the end");
      }
    };
  }

  /** Go's syntax of regular expressions (RE2) is, but for rarities, a part of Java's. */
  private Pattern pattern(String value) throws SnapshotException {
    try {
      return Pattern.compile(value);
    } catch (PatternSyntaxException e) {
      throw new SnapshotException(
          INVALID_ARGUMENT,
          "filter \"%s\": not a regular expression: %s".formatted(text, e.getDescription()),
          e);
    }
  }

  private String field() throws SnapshotException {
    skipSpace();
    if (at < text.length() && text.charAt(at) == '"') {
      return quoted('"');
    }
    int start = at;
    while (at < text.length() && isFieldCharacter(text.charAt(at), at > start)) {
      at++;
    }
    if (at == start) {
      throw error("a field");
    }
    return text.substring(start, at);
  }

  private static boolean isFieldCharacter(char c, boolean inside) {
    return Character.isLetter(c) || c == '_' || (inside && Character.isDigit(c));
  }

  private String value(String alternativeQuotes) throws SnapshotException {
    skipSpace();
    if (at < text.length()) {
      char first = text.charAt(at);
      if (first == '"' || alternativeQuotes.indexOf(first) >= 0) {
        return quoted(first);
      }
    }
    int start = at;
    while (at < text.length() && text.charAt(at) != ',' && !isSpace(text.charAt(at))) {
      at++;
    }
    if (at == start) {
      throw error("a value");
    }
    return text.substring(start, at);
  }

  /** Reads from one quote to the next; in alternative quotes only the quote itself is escaped. */
  private String quoted(char quote) throws SnapshotException {
    int start = at;
    at++;
    while (at < text.length() && text.charAt(at) != quote) {
      at += text.charAt(at) == '\\' ? 2 : 1;
    }
    if (at >= text.length()) {
      at = start;
      throw error("the end of the quoted text that begins here");
    }
    String body = text.substring(start + 1, at);
    at++;
    if (quote != '"') {
      return body.replace("\\" + quote, String.valueOf(quote));
    }
    try {
      return GoString.unescape(body);
    } catch (IllegalArgumentException e) {
      throw new SnapshotException(
          INVALID_ARGUMENT, "filter \"%s\": %s".formatted(text, e.getMessage()), e);
    }
  }

  private void expect(char expected, String what) throws SnapshotException {
    if (text.charAt(at) != expected) {
      throw error(what);
    }
    at++;
  }

  private void skipSpace() {
    while (at < text.length() && isSpace(text.charAt(at))) {
      at++;
    }
  }

  private static boolean isSpace(char c) {
    return Character.isWhitespace(c);
  }

  private SnapshotException error(String expected) {
    String found = at < text.length() ? "\"" + text.substring(at) + "\"" : "the end";
    return new SnapshotException(
        INVALID_ARGUMENT,
        "filter \"%s\": %s expected at character %d, found %s"
            .formatted(text, expected, at + 1, found));
  }
}
