package sluice.snapshotter.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.Repository;
import sluice.snapshotter.state.LazyLayer;

/** Labels and lazy layers as the database keeps them: JSON objects, keys of labels sorted. */
final class LayerJson {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final TypeReference<Map<String, String>> STRINGS = new TypeReference<>() {};

  private LayerJson() {}

  static String labels(Map<String, String> labels) throws SQLException {
    try {
      return JSON.writeValueAsString(new TreeMap<>(labels));
    } catch (JsonProcessingException e) {
      throw new SQLException("labels " + labels + " cannot be written as JSON", e);
    }
  }

  static Map<String, String> labels(String json) throws SQLException {
    try {
      return JSON.readValue(json, STRINGS);
    } catch (JsonProcessingException e) {
      throw new SQLException("column labels: not a JSON object of strings: " + json, e);
    }
  }

  static String lazy(LazyLayer layer) throws SQLException {
    ObjectNode node = JSON.createObjectNode();
    node.put("chainId", layer.chainId().toString());
    node.put("diffId", layer.diffId().toString());
    node.set("layer", descriptor(layer.layer()));
    ArrayNode holders = node.putArray("holders");
    layer.holders().stream().map(Repository::toString).sorted().forEach(holders::add);
    node.put("manifest", layer.manifest().toString());
    node.put("format", layer.format());
    Digest index = layer.index();
    if (index != null) {
      node.put("index", index.toString());
    }
    Digest imageTree = layer.imageTree();
    if (imageTree != null) {
      node.put("imageTree", imageTree.toString());
    }
    node.put("image", layer.image());
    try {
      return JSON.writeValueAsString(node);
    } catch (JsonProcessingException e) {
      throw new SQLException(layer + " cannot be written as JSON", e);
    }
  }

  static LazyLayer lazy(String json) throws SQLException {
    try {
      JsonNode node = JSON.readTree(json);
      Set<Repository> holders = new HashSet<>();
      for (JsonNode holder : node.required("holders")) {
        holders.add(Repository.parse(holder.asText()));
      }
      return new LazyLayer(
          digest(node, "chainId"),
          digest(node, "diffId"),
          descriptor(node.required("layer")),
          holders,
          digest(node, "manifest"),
          node.required("format").asText(),
          node.has("index") ? digest(node, "index") : null,
          node.has("imageTree") ? digest(node, "imageTree") : null,
          node.required("image").asText());
    } catch (JsonProcessingException | IllegalArgumentException e) {
      throw new SQLException("column lazy: not what was written there: " + json, e);
    }
  }

  private static ObjectNode descriptor(Descriptor descriptor) {
    ObjectNode node = JSON.createObjectNode();
    node.put("mediaType", descriptor.mediaType());
    node.put("digest", descriptor.digest().toString());
    node.put("size", descriptor.sizeBytes());
    ObjectNode annotations = node.putObject("annotations");
    new TreeMap<>(descriptor.annotations()).forEach(annotations::put);
    ArrayNode urls = node.putArray("urls");
    descriptor.urls().forEach(url -> urls.add(url.toString()));
    return node;
  }

  /** A layer's descriptor has neither a platform nor an artifact type. */
  private static Descriptor descriptor(JsonNode node) {
    List<URI> urls = new ArrayList<>();
    for (JsonNode url : node.required("urls")) {
      urls.add(URI.create(url.asText()));
    }
    return new Descriptor(
        node.required("mediaType").asText(),
        digest(node, "digest"),
        node.required("size").asLong(),
        JSON.convertValue(node.required("annotations"), STRINGS),
        urls,
        null,
        null);
  }

  private static Digest digest(JsonNode node, String name) {
    return Digest.parse(node.required(name).asText());
  }
}
