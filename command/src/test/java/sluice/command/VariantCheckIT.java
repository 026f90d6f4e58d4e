package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.testing.ListingAssert.assertThatTree;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.api.control.LyingIndex;
import sluice.core.ChainId;
import sluice.core.Digest;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;

/**
 * RAFS variants, which are shown under the chain IDs of the ordinary layers beside them: compared
 * with these layers.
 */
@Timeout(300)
final class VariantCheckIT {

  private static final Fixtures BASE = Fixtures.of("one");
  private static final Fixtures EVIL = Fixtures.of("pause");

  @TempDir private Path temporary;
  private DockerRegistry registry;
  private ContainerdNode node;

  @BeforeEach
  void start() throws Exception {
    registry = DockerRegistry.open();
    node = ContainerdNode.of(Node.configured("[trust]\ncheck_layers = \"always\"\n"));
  }

  @AfterEach
  void stop() throws Exception {
    node.close();
    registry.close();
  }

  /** But for {@code implicit}: {@link #variantOfNydusThatShowsAnotherTree_isFound}. */
  @Test
  void honestVariants_areFoundHonest() throws Exception {
    List<String> images = List.of("small", "one", "pause", "deep", "empty", "rawnames", "reader");
    int honest = 0;
    for (String image : images) {
      push(new VariantImage(Fixtures.of(image), Fixtures.of(image)), image);
      assertThat(node.states(name(image))).as(image).containsOnly("lazy");
      FixtureImages.assertShows(
          Fixtures.of(image), VariantImage.RAFS, node.tree(chain(Fixtures.of(image))));
      int expected = ++honest;
      Await.until(image + " is compared", () -> checks("honest") == expected || lies() > 0);
      assertThat(node.node().status().getLyingIndexesList()).as(image).isEmpty();
      node.remove(name(image));
    }
  }

  /**
   * nydus-image hides what lower layers say of directories of which an upper one has no entry, and
   * that is no lie; but it also puts a file into another directory.
   */
  @Test
  void variantOfNydusThatShowsAnotherTree_isFound() throws Exception {
    Fixtures implicit = Fixtures.of("implicit");
    push(new VariantImage(implicit, implicit), "implicit");
    assertThat(node.states(name("implicit"))).containsOnly("lazy");

    Await.until("the lie is found", () -> lies() == 1);

    assertThat(node.node().status().getLyingIndexes(0).getReason())
        .contains("\"/z/other\" is not in the layer");
  }

  @Test
  void variantOfAnotherImage_isFoundAndNeverMountedAgain() throws Exception {
    push(new VariantImage(BASE, EVIL), "hostile");
    LayoutPush.push(BASE.directory(), registry.host(), "victim");
    String victim = registry.host() + "/victim:" + Fixtures.SOURCE;
    assertThat(node.states(name("hostile"))).containsOnly("lazy");
    assertThat(node.states(victim)).containsOnly("known");

    Await.until("the lie is found", () -> lies() == 1);

    assertThatThrownBy(() -> node.prepare(chain(BASE)))
        .hasMessageContaining("its rafs index does not show what it holds")
        .hasMessageContaining("pull it again");
    LyingIndex lie = node.node().status().getLyingIndexes(0);
    assertThat(lie.getFormat()).isEqualTo("rafs");
    assertThat(lie.getImagesList()).containsExactly(name("hostile"));

    node.remove(name("hostile"), victim);
    assertThat(node.states(victim)).containsOnly("lazy");
    assertThatTree(node.tree(chain(BASE))).isTree(BASE.expected());
    node.remove(victim);
    assertThat(node.states(name("hostile"))).containsOnly("lazy");
    assertThatTree(node.tree(chain(BASE))).isTree(BASE.expected());
  }

  private void push(VariantImage image, String repository) throws Exception {
    Path layout = temporary.resolve(repository);
    image.write(layout, "latest");
    LayoutPush.push(layout, registry.host(), repository);
  }

  private String name(String repository) {
    return registry.host() + "/" + repository + ":latest";
  }

  private int lies() throws Exception {
    return checks("lying");
  }

  /** How many checks ended so. */
  private int checks(String outcome) throws Exception {
    String line = "sluice_layer_checks_total{outcome=\"" + outcome + "\"} ";
    return node.node()
        .get("/metrics")
        .body()
        .lines()
        .filter(each -> each.startsWith(line))
        .mapToInt(each -> (int) Double.parseDouble(each.substring(line.length())))
        .sum();
  }

  private static Digest chain(Fixtures image) {
    return ChainId.ofAll(image.diffIds(Fixtures.SOURCE)).getLast();
  }
}
