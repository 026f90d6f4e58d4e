package sluice.registry;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.List;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageRegistry.Content;

/**
 * Whatever a registry sends as a document is read, or refused by {@link CorruptException}. Without
 * {@code JAZZER_FUZZ=1} only the kept inputs run.
 */
class DocumentsFuzzTest {

  private static final List<String> MEDIA_TYPES =
      List.of(
          MediaTypes.OCI_INDEX,
          MediaTypes.OCI_MANIFEST,
          MediaTypes.DOCKER_LIST,
          MediaTypes.DOCKER_MANIFEST);

  @FuzzTest(maxDuration = "10m")
  void parse_anyBytes_areReadOrRefused(byte[] input) {
    Bytes bytes = Bytes.of(input);
    for (String mediaType : MEDIA_TYPES) {
      Content content =
          new Content(new Descriptor(mediaType, Digest.sha256(input), input.length), bytes);
      readOrRefused(() -> Documents.document(content));
    }
    Content config = new Content(new Descriptor("a/b", Digest.sha256(input), input.length), bytes);
    readOrRefused(() -> Documents.config(config));
    readOrRefused(() -> Documents.mediaType(bytes, "", "fuzz"));
  }

  private interface Parser {
    Object parse() throws CorruptException;
  }

  private static void readOrRefused(Parser parser) {
    try {
      Object document = parser.parse();
      if (document.toString().isEmpty()) {
        throw new AssertionError("a document without a text form");
      }
    } catch (CorruptException e) {
      if (!String.valueOf(e.getMessage()).contains("resource=")) {
        throw new AssertionError("a message without its resource", e);
      }
    }
  }
}
