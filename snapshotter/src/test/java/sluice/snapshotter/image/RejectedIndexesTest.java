package sluice.snapshotter.image;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.CorruptException;
import sluice.core.Digest;

final class RejectedIndexesTest {

  private static final Digest LAYER = Digest.sha256("layer".getBytes(UTF_8));
  private static final LayerKey KEY = new LayerKey("fake", LAYER, Digest.sha256(new byte[0]));
  private static final LayerKey OTHER = new LayerKey("fake", LAYER, LAYER);

  @TempDir private Path directory = Path.of("");

  @Test
  void lying_openedAgain_isKnown() throws Exception {
    Path file = directory.resolve("rejected.json");
    RejectedIndexes.open(file).lying(KEY, "another mode");

    RejectedIndexes again = RejectedIndexes.open(file);

    assertThat(again.lying()).isEqualTo(Map.of(KEY, "another mode"));
    assertThat(again.lie(KEY)).contains("another mode");
    assertThat(again.lie(OTHER)).isEmpty();
  }

  @Test
  void lying_ofAnEditedFile_areThoseThatNameALayer() throws Exception {
    Path file = directory.resolve("rejected.json");
    Files.writeString(file, "{\"%s\": \"another mode\", \"note\": \"mine\"}".formatted(KEY));
    assertThat(RejectedIndexes.open(file).lying()).isEqualTo(Map.of(KEY, "another mode"));
  }

  @Test
  void open_ofSomethingElse_saysWhatToDo() throws Exception {
    Path file = Files.writeString(directory.resolve("rejected.json"), "[]");
    assertThatThrownBy(() -> RejectedIndexes.open(file))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("delete the file to forget them");
  }
}
