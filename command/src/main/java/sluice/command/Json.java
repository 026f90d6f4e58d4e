package sluice.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** What {@code --json} prints: one object, with keys in the order in which they were given. */
final class Json {

  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private final Map<String, Object> members = new LinkedHashMap<>();

  /** Adds a text, a number, a truth, or a list or map of them. */
  Json with(String key, Object value) {
    members.put(key, value instanceof Json inner ? inner.members : value);
    return this;
  }

  Map<String, Object> members() {
    return members;
  }

  String text() throws IOException {
    try {
      return MAPPER.writeValueAsString(members);
    } catch (JsonProcessingException e) {
      throw new IOException("JSON: " + e.getOriginalMessage(), e);
    }
  }
}
