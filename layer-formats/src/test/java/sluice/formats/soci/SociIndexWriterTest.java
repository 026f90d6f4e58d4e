package sluice.formats.soci;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.ImageRegistry.Content;
import sluice.testing.Fixtures;

final class SociIndexWriterTest {

  private static final String LAYER = "com.amazon.soci.image-layer-digest";
  private static final String TOOL = "com.amazon.soci.build-tool-identifier";

  /** The same index as SOCI's tool has made. */
  @ParameterizedTest
  @ValueSource(strings = {"small", "one"})
  void write_isWhatTheToolWrites(String image) throws Exception {
    Fixtures fixtures = Fixtures.of(image);
    Descriptor source = fixtures.descriptor(Fixtures.SOURCE);
    String tag = "sha256-" + source.digest().hex();
    ImageDocument.Manifest theirs = fixtures.listed(tag).getFirst();
    SociIndexWriter writer =
        new SociIndexWriter(
            new Descriptor(source.mediaType(), source.digest(), source.sizeBytes()),
            Objects.requireNonNull(theirs.annotations().get(TOOL)));
    for (Descriptor layer : fixtures.document(Fixtures.SOURCE).layers()) {
      for (Descriptor ztoc : theirs.layers()) {
        if (layer.digest().toString().equals(ztoc.annotations().get(LAYER))) {
          writer.add(
              layer,
              new Descriptor(ztoc.mediaType(), ztoc.digest(), ztoc.sizeBytes()),
              Long.parseLong(ztoc.annotations().getOrDefault("com.amazon.soci.span-size", "")));
        }
      }
    }

    Content ours = writer.write();

    assertThat(fixtures.blob(ours.descriptor().digest()))
        .as("the index of the tool")
        .hasBinaryContent(ours.bytes().toArray());
    assertThat(theirs.config().digest()).isEqualTo(SociIndexWriter.config().digest());
  }

  @Test
  void write_textThatJsonEscapes_isEscaped() {
    Descriptor image = new Descriptor("a\"b\\c\n", Digest.sha256(new byte[0]), 1);

    assertThat(new SociIndexWriter(image, "tool").write().bytes().toString())
        .contains("\"mediaType\":\"a\\\"b\\\\c\\u000a\"")
        .contains("\"layers\":[]")
        .endsWith("\"annotations\":{\"" + TOOL + "\":\"tool\"}}");
  }
}
