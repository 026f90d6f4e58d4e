package sluice.command;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.testing.Fixtures;

/**
 * An image of a fixture whose layers are untouched, but whose external TOC of one layer says
 * something else. Everything that the image's digest pins fits together.
 */
final class LyingToc {

  static final String TAG = "lying";

  private static final Fixtures SMALL = Fixtures.of("small");
  private static final String HONEST = "esgz-ext";
  private static final String NAME = "stargz.index.json";
  private static final String TOC_DIGEST = "containerd.io/snapshot/stargz/toc.digest";
  private static final String LAYER_DIGEST = "containerd.io/snapshot/stargz/layer.digest";
  private static final ObjectMapper JSON = new ObjectMapper();

  private LyingToc() {}

  /**
   * Writes the lowest layer of the image alone.
   *
   * @param lie changes the entries of its TOC
   */
  static void write(Path layout, Consumer<ArrayNode> lie) throws IOException {
    ImageDocument.Manifest honest = SMALL.document(HONEST);
    Descriptor layer = honest.layers().getFirst();
    byte[] toc = changed(toc(layer.digest()), lie);
    ShapedImage image = ShapedImage.in(layout);

    ObjectNode blob =
        image.store(layer.mediaType(), Files.readAllBytes(SMALL.blob(layer.digest())));
    blob.putObject("annotations").put(TOC_DIGEST, Digest.sha256(toc).toString());
    ShapedImage.Layer shown = new ShapedImage.Layer(blob, SMALL.diffIds(HONEST).getFirst());
    image.tag(
        image.manifest(ShapedImage.OCI_MANIFEST, ShapedImage.OCI_CONFIG, List.of(shown)), TAG);

    ObjectNode tocBlob = image.store(ShapedImage.OCI_GZIP, packed(toc));
    tocBlob.putObject("annotations").put(LAYER_DIGEST, layer.digest().toString());
    ShapedImage.Layer tocLayer = new ShapedImage.Layer(tocBlob, Digest.sha256(toc));
    image.tag(
        image.manifest(ShapedImage.OCI_MANIFEST, ShapedImage.OCI_CONFIG, List.of(tocLayer)),
        TAG + "-esgztoc");
  }

  /** The entry of that name. */
  static ObjectNode entry(ArrayNode entries, String name) {
    for (var entry : entries) {
      if (entry.required("name").asText().equals(name)
          && !entry.path("type").asText().equals("chunk")) {
        return (ObjectNode) entry;
      }
    }
    throw new IllegalArgumentException("no entry " + name);
  }

  private static byte[] changed(byte[] toc, Consumer<ArrayNode> lie) throws IOException {
    ObjectNode document = (ObjectNode) JSON.readTree(toc);
    lie.accept((ArrayNode) document.required("entries"));
    return JSON.writeValueAsBytes(document);
  }

  private static byte[] toc(Digest layer) throws IOException {
    for (Descriptor each : SMALL.document(HONEST + "-esgztoc").layers()) {
      if (layer.toString().equals(each.annotations().get(LAYER_DIGEST))) {
        byte[] blob = Files.readAllBytes(SMALL.blob(each.digest()));
        try (TarArchiveInputStream tar =
            new TarArchiveInputStream(new GZIPInputStream(new ByteArrayInputStream(blob)))) {
          for (TarArchiveEntry entry = tar.getNextEntry();
              entry != null;
              entry = tar.getNextEntry()) {
            if (entry.getName().equals(NAME)) {
              return tar.readAllBytes();
            }
          }
        }
      }
    }
    throw new IllegalStateException("no TOC of " + layer);
  }

  private static byte[] packed(byte[] toc) throws IOException {
    ByteArrayOutputStream blob = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(new GZIPOutputStream(blob))) {
      TarArchiveEntry entry = new TarArchiveEntry(NAME);
      entry.setSize(toc.length);
      tar.putArchiveEntry(entry);
      tar.write(toc);
      tar.closeArchiveEntry();
    }
    return blob.toByteArray();
  }
}
