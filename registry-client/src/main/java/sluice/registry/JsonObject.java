package sluice.registry;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * An object of a JSON document from outside, whose fields are read strictly: a field has the type
 * that is asked for, or the document is corrupt. A field that is {@code null} counts as absent, as
 * Go's encoder writes empty lists.
 *
 * @param node the object
 * @param path where it lies in the document, for messages
 * @param resource what the document is, for messages
 */
record JsonObject(ObjectNode node, String path, String resource) {

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxDocumentLength(Limits.CONFIG_BYTES)
                          .maxStringLength(Limits.CONFIG_BYTES)
                          .maxNestingDepth(Limits.JSON_DEPTH)
                          .maxTokenCount(Limits.JSON_TOKENS)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          // Two readers may choose different ones of two fields of one name.
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  /**
   * Parses a whole document.
   *
   * @throws CorruptException if it is not one JSON object within {@link Limits}
   */
  static JsonObject parse(Bytes document, String resource) throws CorruptException {
    JsonNode root;
    try {
      root = MAPPER.readTree(document.toArray());
    } catch (JsonProcessingException e) {
      throw notJson(e.getOriginalMessage(), resource, e);
    } catch (IOException e) {
      throw notJson(String.valueOf(e.getMessage()), resource, e);
    }
    if (root instanceof ObjectNode object) {
      return new JsonObject(object, "", resource);
    }
    throw new CorruptException(
        "JSON: an object expected, found " + root.getNodeType(), resource, -1);
  }

  /** A fresh object to write. */
  static ObjectNode empty() {
    return MAPPER.createObjectNode();
  }

  boolean has(String name) {
    return field(name).isPresent();
  }

  /** A string that must be there. */
  String text(String name) throws CorruptException {
    return optionalText(name).orElseThrow(() -> missing(name, "a string"));
  }

  /** A string that may be absent. */
  Optional<String> optionalText(String name) throws CorruptException {
    Optional<JsonNode> field = field(name);
    if (field.isPresent() && !field.get().isTextual()) {
      throw wrong(name, "a string", field.get());
    }
    return field.map(JsonNode::textValue);
  }

  /** A whole number, 0 or more, that must be there. */
  long count(String name) throws CorruptException {
    return optionalCount(name).orElseThrow(() -> missing(name, "a number"));
  }

  /** A whole number, 0 or more, that may be absent. */
  Optional<Long> optionalCount(String name) throws CorruptException {
    Optional<JsonNode> field = field(name);
    if (field.isEmpty()) {
      return Optional.empty();
    }
    JsonNode number = field.get();
    if (!number.isIntegralNumber() || !number.canConvertToLong() || number.longValue() < 0) {
      throw wrong(name, "a whole number, 0 or more,", number);
    }
    return Optional.of(number.longValue());
  }

  /** An object that may be absent. */
  Optional<JsonObject> object(String name) throws CorruptException {
    Optional<JsonNode> field = field(name);
    if (field.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(child(field.get(), at(name)));
  }

  /** A list of objects, empty if it is absent. */
  List<JsonObject> objects(String name) throws CorruptException {
    List<JsonObject> objects = new ArrayList<>();
    for (JsonNode element : elements(name)) {
      objects.add(child(element, at(name) + '[' + objects.size() + ']'));
    }
    return objects;
  }

  /** A list of strings, empty if it is absent. */
  List<String> texts(String name) throws CorruptException {
    List<String> texts = new ArrayList<>();
    for (JsonNode element : elements(name)) {
      if (!element.isTextual()) {
        throw wrong(name + '[' + texts.size() + ']', "a string", element);
      }
      texts.add(element.textValue());
    }
    return texts;
  }

  /** An object whose values are strings, empty if it is absent. */
  Map<String, String> strings(String name) throws CorruptException {
    Optional<JsonObject> object = object(name);
    Map<String, String> strings = new LinkedHashMap<>();
    if (object.isPresent()) {
      for (String key : object.get().names()) {
        strings.put(key, object.get().text(key));
      }
    }
    return strings;
  }

  /** The names of the fields that are not null, in the document's order. */
  List<String> names() {
    List<String> names = new ArrayList<>();
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      if (!field.getValue().isNull()) {
        names.add(field.getKey());
      }
    }
    return names;
  }

  /** An error at this object. */
  CorruptException corrupt(String message) {
    return new CorruptException(path.isEmpty() ? message : path + ": " + message, resource, -1);
  }

  private Optional<JsonNode> field(String name) {
    return Optional.ofNullable(node.get(name)).filter(field -> !field.isNull());
  }

  private Iterable<JsonNode> elements(String name) throws CorruptException {
    Optional<JsonNode> field = field(name);
    if (field.isEmpty()) {
      return List.of();
    }
    if (!field.get().isArray()) {
      throw wrong(name, "a list", field.get());
    }
    return field.get();
  }

  private JsonObject child(JsonNode element, String childPath) throws CorruptException {
    if (element instanceof ObjectNode object) {
      return new JsonObject(object, childPath, resource);
    }
    throw new CorruptException(
        childPath + ": an object expected, found " + element.getNodeType(), resource, -1);
  }

  private String at(String name) {
    return path.isEmpty() ? name : path + '.' + name;
  }

  private CorruptException missing(String name, String kind) {
    return new CorruptException(at(name) + ": " + kind + " expected, is missing", resource, -1);
  }

  private CorruptException wrong(String name, String kind, JsonNode found) {
    String shown = found.isNumber() ? found.asText() : found.getNodeType().toString();
    return new CorruptException(
        "%s: %s expected, found %s".formatted(at(name), kind, shown), resource, -1);
  }

  private static CorruptException notJson(String reason, String resource, IOException cause) {
    CorruptException corrupt = new CorruptException("JSON: " + reason, resource, -1);
    corrupt.initCause(cause);
    return corrupt;
  }
}
