package sluice.snapshotter.signature;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.core.Repository;

/**
 * What is signed: "simple signing" of containers/image, as cosign writes it.
 *
 * <pre>
 * critical.identity.docker-reference     the repository, which nobody has to believe
 * critical.image.docker-manifest-digest  the manifest that is signed
 * critical.type                          "cosign container image signature"
 * optional                               anything
 * </pre>
 *
 * @param manifest the manifest that is signed
 */
record SignedPayload(Digest manifest) {

  static final String MEDIA_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json";

  private static final String TYPE = "cosign container image signature";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  /**
   * Reads a payload.
   *
   * @throws CorruptException if it is none of this type
   */
  static SignedPayload read(Bytes json, String resource) throws CorruptException {
    JsonNode critical;
    try {
      critical = JSON.readTree(json.toArray()).path("critical");
    } catch (JacksonException e) {
      throw new CorruptException("JSON: " + e.getOriginalMessage(), resource, -1);
    } catch (IOException e) {
      // Jackson guesses the encoding by the first bytes, and knows some that it cannot read.
      throw new CorruptException("JSON: " + e.getMessage(), resource, -1);
    }
    String type = critical.path("type").asText();
    if (!type.equals(TYPE)) {
      throw new CorruptException(
          "critical.type \"%s\", expected \"%s\"".formatted(type, TYPE), resource, -1);
    }
    try {
      return new SignedPayload(
          Digest.parse(critical.path("image").path("docker-manifest-digest").asText()));
    } catch (IllegalArgumentException e) {
      throw new CorruptException(
          "critical.image.docker-manifest-digest: " + e.getMessage(), resource, -1);
    }
  }

  Bytes write(Repository repository) {
    ObjectNode payload = JSON.createObjectNode();
    ObjectNode critical = payload.putObject("critical");
    critical.putObject("identity").put("docker-reference", repository.toString());
    critical.putObject("image").put("docker-manifest-digest", manifest.toString());
    critical.put("type", TYPE);
    payload.putNull("optional");
    return Bytes.utf8(payload.toString());
  }
}
