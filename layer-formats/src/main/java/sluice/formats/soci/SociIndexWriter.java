package sluice.formats.soci;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageRegistry.Content;

/**
 * Writes a SOCI index of version 1, byte for byte as SOCI's own tool does: the same zTOCs and the
 * same tool make the same index.
 *
 * <pre>
 * config       {}, of the media type that says what the manifest is
 * layers       a zTOC each: annotations name the layer, its media type, the length of a span
 * subject      the image's manifest
 * annotations  com.amazon.soci.build-tool-identifier
 * </pre>
 */
public final class SociIndexWriter {

  private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";

  /** What the index's configuration is; it is a blob like any other. */
  public static final Bytes CONFIG_CONTENT = Bytes.utf8("{}");

  private final Descriptor image;
  private final String tool;
  private final List<Descriptor> ztocs = new ArrayList<>();

  /**
   * @param image the image's manifest
   * @param tool name and version of what makes the index
   */
  public SociIndexWriter(Descriptor image, String tool) {
    this.image = image;
    this.tool = tool;
  }

  /** The configuration's descriptor. */
  public static Descriptor config() {
    return new Descriptor(
        SociIndex.Version.V1.type(),
        Digest.sha256(CONFIG_CONTENT.toArray()),
        CONFIG_CONTENT.length());
  }

  /** Whether SOCI knows zTOCs of this kind. */
  public static boolean takes(Descriptor ztoc) {
    return ztoc.mediaType().equals(SociIndex.ZTOC_TYPE);
  }

  /**
   * Adds the zTOC of the next layer that has one, in the image's order.
   *
   * @param spanBytes as {@link GzipCheckpoints} got it
   */
  public void add(Descriptor layer, Descriptor ztoc, long spanBytes) {
    ztocs.add(
        new Descriptor(
            ztoc.mediaType(),
            ztoc.digest(),
            ztoc.sizeBytes(),
            Map.of(
                SociIndex.LAYER,
                layer.digest().toString(),
                "com.amazon.soci.image-layer-mediaType",
                layer.mediaType(),
                "com.amazon.soci.span-size",
                Long.toString(spanBytes)),
            List.of(),
            null,
            null));
  }

  /** The index of what was added. */
  public Content write() {
    StringBuilder json = new StringBuilder("{\"schemaVersion\":2");
    json.append(",\"mediaType\":").append(text(MANIFEST));
    json.append(",\"config\":").append(descriptor(config()));
    json.append(",\"layers\":[");
    json.append(String.join(",", ztocs.stream().map(SociIndexWriter::descriptor).toList()));
    json.append("],\"subject\":").append(descriptor(image));
    json.append(",\"annotations\":").append(texts(new TreeMap<>(Map.of(SociIndex.TOOL, tool))));
    Bytes bytes = Bytes.utf8(json.append('}').toString());
    return new Content(
        new Descriptor(MANIFEST, Digest.sha256(bytes.toArray()), bytes.length()), bytes);
  }

  private static String descriptor(Descriptor of) {
    String plain =
        "{\"mediaType\":%s,\"digest\":%s,\"size\":%d"
            .formatted(text(of.mediaType()), text(of.digest().toString()), of.sizeBytes());
    return plain
        + (of.annotations().isEmpty()
            ? "}"
            : ",\"annotations\":" + texts(new TreeMap<>(of.annotations())) + '}');
  }

  /** Sorted by keys, as Go's encoder writes maps. */
  private static String texts(SortedMap<String, String> texts) {
    List<String> members = new ArrayList<>();
    texts.forEach((key, value) -> members.add(text(key) + ':' + text(value)));
    return '{' + String.join(",", members) + '}';
  }

  /** A string of JSON (RFC 8259, section 7). */
  private static String text(String text) {
    StringBuilder json = new StringBuilder("\"");
    text.chars()
        .forEach(c -> {
          if (c < ' ') {
            json.append("\\u%04x".formatted(c));
          } else {
            json.append(c == '"' || c == '\\' ? "\\" : "").append((char) c);
          }
        });
    return json.append('"').toString();
  }
}
