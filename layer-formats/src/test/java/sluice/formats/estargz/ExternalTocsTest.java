package sluice.formats.estargz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.LayerFormat;
import sluice.formats.testing.Images;
import sluice.formats.toc.LayoutDocuments;
import sluice.testing.Fixtures;

class ExternalTocsTest {

  private static final Fixtures BEFORE = Fixtures.of("reader");
  private static final Fixtures NOW = Fixtures.of("small");
  private static final String TAG_BEFORE = "esgz-ext-keep";
  private static final String TAG_NOW = "esgz-ext";

  private final LayoutDocuments documents = new LayoutDocuments();
  private final ExternalTocs tocs = new ExternalTocs(documents);

  /** Of a name that leads to what the test says. */
  private LayerFormat.Image image;

  ExternalTocsTest() throws Exception {
    image = Images.of(NOW, TAG_NOW);
  }

  /** Asks while the tag leads to what it was before. */
  @BeforeEach
  void ask() throws Exception {
    documents.point(ExternalTocs.reference(image), BEFORE, TAG_BEFORE + "-esgztoc");
    for (Descriptor layer : BEFORE.document(TAG_BEFORE).layers()) {
      assertThat(tocs.find(image, layer.digest(), false)).isNotNull();
    }
    assertThat(documents.requests()).isEqualTo(1);
  }

  @Test
  void find_afterTheTagWasMoved_asksOnceAnew() throws Exception {
    documents.point(ExternalTocs.reference(image), NOW, TAG_NOW + "-esgztoc");
    for (Descriptor layer : NOW.document(TAG_NOW).layers()) {
      ExternalTocs.External found = tocs.find(image, layer.digest(), false);
      assertThat(found.document()).isEqualTo(NOW.descriptor(TAG_NOW + "-esgztoc").digest());
      assertThat(found.toc().annotations())
          .containsEntry(ExternalTocs.LAYER_ANNOTATION, layer.digest().toString());
      assertThat(tocs.known(image, layer.digest())).contains(found);
    }
    assertThat(documents.requests()).as("once more for all layers").isEqualTo(2);
  }

  @Test
  void find_layerWithoutToc_isRefusedAfterOneMoreRequest() {
    Digest none = Digest.sha256("none".getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> tocs.find(image, none, false))
        .isInstanceOfSatisfying(
            FetchException.class,
            e -> assertThat(e.reason()).isEqualTo(FetchException.Reason.NOT_FOUND))
        .hasMessageContaining("small:esgz-ext-esgztoc has no TOC of layer " + none);
    assertThat(documents.requests()).isEqualTo(2);
    assertThatThrownBy(() -> tocs.find(image, none, true)).isInstanceOf(FetchException.class);
    assertThat(documents.requests()).as("an answer of now is not doubted").isEqualTo(3);
  }
}
