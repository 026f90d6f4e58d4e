package sluice.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.testing.TreeEntry.DeviceNumber;

class FixturesTest {

  @SuppressWarnings("UnusedVariable") // read by name, by FieldSource
  private static final List<String> images = Fixtures.IMAGES;

  @ParameterizedTest
  @FieldSource("images")
  void source_hasAllItsBlobsAndAListing(String image) throws Exception {
    Fixtures fixture = Fixtures.of(image);
    var manifest = fixture.document(Fixtures.SOURCE);
    assertThat(Digest.sha256(fixture.manifest(Fixtures.SOURCE).toArray()))
        .isEqualTo(fixture.descriptor(Fixtures.SOURCE).digest());
    assertThat(fixture.diffIds(Fixtures.SOURCE)).hasSameSizeAs(manifest.layers());
    for (Descriptor layer : manifest.layers()) {
      byte[] blob = Files.readAllBytes(fixture.blob(layer.digest()));
      assertThat(blob).hasSize((int) layer.sizeBytes());
      assertThat(Digest.sha256(blob)).isEqualTo(layer.digest());
    }
    assertThat(fixture.expected().entries()).containsKey(Bytes.EMPTY);
  }

  @Test
  void document_unknownTag_namesThoseThatExist() {
    assertThatThrownBy(() -> Fixtures.of("one").document("none"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("fixture one has no tag none")
        .hasMessageContaining("src");
  }

  @Test
  void expected_readsEveryKindOfField() throws Exception {
    Tree tree = Fixtures.of("small").expected();
    assertThat(tree.entry("devs/max").device()).isEqualTo(new DeviceNumber(259, 1048575));
    assertThat(tree.entry("times/y1938").mtime()).isEqualTo(new Timestamp(-1_000_000_000, 0));
    assertThat(tree.entry("xattrs/trusted").xattrs())
        .containsEntry(Bytes.utf8("trusted.note"), Bytes.utf8("only root sees this"));
    assertThat(tree.entry("links/h1").nlink()).isEqualTo(2);
    assertThat(Fixtures.of("rawnames").expected().entries().keySet())
        .as("a name that is not UTF-8")
        .anyMatch(path -> !Bytes.utf8(path.toString()).equals(path));
  }

  @Test
  void timestamp_beforeTheEpoch_countsNanosForward() {
    assertThat(Timestamp.parse("-2.750000000")).isEqualTo(new Timestamp(-2, 750_000_000));
    assertThat(new Timestamp(-2, 750_000_000)).hasToString("-1.250000000 s");
  }
}
