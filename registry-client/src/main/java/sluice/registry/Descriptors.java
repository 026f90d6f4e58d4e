package sluice.registry;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.ContentHasher;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.Platform;

/** Reads descriptors (OCI image specification, "Content Descriptors"). */
final class Descriptors {

  private Descriptors() {}

  static List<Descriptor> parseAll(List<JsonObject> objects) throws CorruptException {
    List<Descriptor> descriptors = new ArrayList<>(objects.size());
    for (JsonObject object : objects) {
      descriptors.add(parse(object));
    }
    return descriptors;
  }

  static Descriptor parse(JsonObject object) throws CorruptException {
    String mediaType = object.text("mediaType");
    if (mediaType.isEmpty()) {
      throw object.corrupt("mediaType is empty");
    }
    Digest digest = digest(object, object.text("digest"));
    long sizeBytes = object.count("size");
    return new Descriptor(
        mediaType,
        digest,
        sizeBytes,
        object.strings("annotations"),
        urls(object),
        platform(object),
        object.optionalText("artifactType").orElse(null),
        data(object, digest, sizeBytes));
  }

  /** Reads a digest that {@code object} holds. */
  static Digest digest(JsonObject object, String text) throws CorruptException {
    try {
      return Digest.parse(text);
    } catch (IllegalArgumentException e) {
      throw object.corrupt(e.getMessage() == null ? "no digest" : e.getMessage());
    }
  }

  private static @Nullable Platform platform(JsonObject descriptor) throws CorruptException {
    Optional<JsonObject> platform = descriptor.object("platform");
    return platform.isPresent() ? platformOf(platform.get()) : null;
  }

  /** The platform whose fields {@code object} has; configurations hold them at their top. */
  static Platform platformOf(JsonObject object) throws CorruptException {
    return new Platform(
        object.text("os"),
        object.text("architecture"),
        object.optionalText("variant").orElse(""),
        object.texts("os.features"));
  }

  private static List<URI> urls(JsonObject object) throws CorruptException {
    List<URI> urls = new ArrayList<>();
    for (String url : object.texts("urls")) {
      try {
        urls.add(new URI(url));
      } catch (URISyntaxException e) {
        throw object.corrupt("urls: no URL at character " + e.getIndex());
      }
    }
    return urls;
  }

  /** The content that the descriptor embeds, if it is what digest and size say. */
  private static @Nullable Bytes data(JsonObject object, Digest digest, long sizeBytes)
      throws CorruptException {
    Optional<String> base64 = object.optionalText("data");
    if (base64.isEmpty()) {
      return null;
    }
    Bytes data;
    try {
      data = Bytes.of(Base64.getDecoder().decode(base64.get()));
    } catch (IllegalArgumentException e) {
      throw object.corrupt("data is not base64: " + e.getMessage());
    }
    if (data.length() != sizeBytes) {
      throw object.corrupt("data has " + data.length() + " bytes, size says " + sizeBytes);
    }
    Digest found =
        Digest.of(digest.algorithm(), ContentHasher.hash(digest.algorithm(), data.asBuffer()));
    if (!found.equals(digest)) {
      throw object.corrupt("data has the digest " + found + ", expected " + digest);
    }
    return data;
  }
}
