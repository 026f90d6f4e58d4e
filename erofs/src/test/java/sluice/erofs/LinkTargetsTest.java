package sluice.erofs;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Bytes;
import sluice.core.CorruptException;

final class LinkTargetsTest {

  private static final Attributes FILE = new Attributes(0644, 0, 0, 0, 0);

  @TempDir private Path directory = Path.of("");
  private final List<Path> layers = new ArrayList<>();

  private interface Entries {
    void to(LayerTree tree) throws IOException;
  }

  private void layer(Entries entries) throws IOException {
    LayerTree tree = new LayerTree("layer " + layers.size());
    entries.to(tree);
    Path image = directory.resolve("layer" + layers.size());
    MetadataImageWriter.write(tree, List.of(), image);
    layers.add(image);
  }

  private static Bytes path(String text) {
    return Bytes.utf8(text);
  }

  private static void file(LayerTree tree, String path) throws IOException {
    tree.file(path(path), FILE, FileContent.empty());
  }

  @Test
  void linksBelowAndLater_areResolved() throws IOException {
    layer(tree -> file(tree, "d/below"));
    layer(tree -> tree.hardLink(path("e/again"), path("d/below"), FILE));
    layer(tree -> {
      tree.hardLink(path("x/1"), path("e/again"), FILE);
      tree.hardLink(path("x/y/2"), path("later"), FILE);
      file(tree, "later");
    });

    assertThatCode(() -> LinkTargets.requireResolved(layers)).doesNotThrowAnyException();
    assertThatCode(() -> LinkTargets.requireResolved(layers.subList(0, 1)))
        .doesNotThrowAnyException();
  }

  @Test
  void linkIntoNoLayer_isNamed() throws IOException {
    layer(tree -> file(tree, "d/below"));
    layer(tree -> tree.hardLink(path("x/y/z"), path("d/elsewhere"), FILE));

    assertThatThrownBy(() -> LinkTargets.requireResolved(layers))
        .isInstanceOf(UnresolvedLinkException.class)
        .hasMessageContaining("\"d/elsewhere\"");
    layer(tree -> file(tree, "other"));
    assertThatCode(() -> LinkTargets.requireResolved(layers)).doesNotThrowAnyException();
  }

  @Test
  void linkToWhatIsHidden_isNotResolved() throws IOException {
    layer(tree -> file(tree, "d/below"));
    layer(tree -> tree.whiteout(path("d/below")));
    layer(tree -> tree.hardLink(path("x"), path("d/below"), FILE));

    assertThatThrownBy(() -> LinkTargets.requireResolved(layers))
        .isInstanceOf(UnresolvedLinkException.class);
  }

  @Test
  void linksInACircle_areRefused() throws IOException {
    layer(tree -> {
      tree.hardLink(path("a"), path("b"), FILE);
      tree.hardLink(path("c"), path("a"), FILE);
      tree.hardLink(path("b"), path("c"), FILE);
    });

    assertThatThrownBy(() -> LinkTargets.requireResolved(layers))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("circle");
  }
}
