package sluice.command.config;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** One table of the file, which remembers the keys that it was asked for. */
final class Section {

  private final Path file;
  private final String prefix;
  private final JsonNode table;
  private final Set<String> known;

  private Section(Path file, String prefix, JsonNode table, Set<String> known) {
    this.file = file;
    this.prefix = prefix;
    this.table = table;
    this.known = known;
  }

  static Section root(Path file, JsonNode table) {
    return new Section(file, "", table, new LinkedHashSet<>());
  }

  /** The table of that name; empty if the file has none. */
  Section section(String name) throws ConfigException {
    known.add(prefix + name);
    JsonNode found = table.path(name);
    if (!found.isMissingNode() && !found.isObject()) {
      throw wrong(name, "a table [" + prefix + name + "]", found);
    }
    return new Section(file, prefix + name + ".", found, known);
  }

  String text(String name, String otherwise) throws ConfigException {
    JsonNode value = value(name);
    if (value == null) {
      return otherwise;
    }
    if (!value.isTextual()) {
      throw wrong(name, "a string", value);
    }
    return value.textValue();
  }

  /** An absolute path. */
  Path path(String name, Path otherwise) throws ConfigException {
    Path path = Path.of(text(name, otherwise.toString()));
    if (!path.isAbsolute()) {
      throw new ConfigException(
          "%s: %s%s must be an absolute path, found \"%s\"".formatted(file, prefix, name, path));
    }
    return path;
  }

  int number(String name, int otherwise, int least, int most) throws ConfigException {
    JsonNode value = value(name);
    if (value == null) {
      return otherwise;
    }
    if (!value.canConvertToInt()
        || !value.isIntegralNumber()
        || value.intValue() < least
        || value.intValue() > most) {
      throw wrong(name, "a number from %d to %d".formatted(least, most), value);
    }
    return value.intValue();
  }

  boolean flag(String name, boolean otherwise) throws ConfigException {
    JsonNode value = value(name);
    if (value == null) {
      return otherwise;
    }
    if (!value.isBoolean()) {
      throw wrong(name, "true or false", value);
    }
    return value.booleanValue();
  }

  /** One of the names of an enum's constants, in lower case and with hyphens. */
  <E extends Enum<E>> E choice(String name, Class<E> type, E otherwise) throws ConfigException {
    JsonNode value = value(name);
    if (value == null) {
      return otherwise;
    }
    List<E> constants = Arrays.asList(type.getEnumConstants());
    for (E constant : constants) {
      if (value.isTextual() && label(constant).equals(value.textValue())) {
        return constant;
      }
    }
    String labels =
        constants.stream().map(c -> '"' + label(c) + '"').collect(Collectors.joining(" or "));
    throw wrong(name, labels, value);
  }

  /**
   * A list of strings.
   *
   * @param expected what the error says that it must be
   */
  List<String> texts(String name, String expected, List<String> otherwise) throws ConfigException {
    JsonNode value = value(name);
    if (value == null) {
      return otherwise;
    }
    List<String> texts = new ArrayList<>();
    for (JsonNode text : value) {
      texts.add(text.isTextual() ? text.textValue() : "");
    }
    if (!value.isArray() || texts.contains("")) {
      throw wrong(name, expected, value);
    }
    return texts;
  }

  /** The value of a key that takes more than one type; null if the file has none. */
  @Nullable JsonNode value(String name) {
    known.add(prefix + name);
    JsonNode value = table.path(name);
    return value.isMissingNode() ? null : value;
  }

  ConfigException wrong(String name, String expected, JsonNode found) {
    return new ConfigException(
        "%s: %s%s must be %s, found %s".formatted(file, prefix, name, expected, found));
  }

  /** Checks that the file holds nothing that nobody asked for. */
  void finish() throws ConfigException {
    finish(table, "");
  }

  private void finish(JsonNode node, String at) throws ConfigException {
    for (var field : node.properties()) {
      String key = at + field.getKey();
      if (!known.contains(key)) {
        throw new ConfigException(
            "%s: unknown key %s; did you mean %s?".formatted(file, key, Nearest.to(key, known)));
      }
      if (field.getValue().isObject()) {
        finish(field.getValue(), key + ".");
      }
    }
  }

  private static String label(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
