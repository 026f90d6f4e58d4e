package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import sluice.core.Fidelity;
import sluice.snapshotter.check.LayerCheck;
import sluice.snapshotter.image.KeptLayer;
import sluice.testing.Fixtures;

/** Layers that are served from an index, compared with what they hold. */
final class LayerCheckIT {

  /** A regular file of the lowest layer of {@code small}. */
  private static final String FILE = "data/sizes/f4096";

  @TempDir private Path temporary = Path.of("");
  private Path directory = Path.of("");
  private @Nullable Engine opened;
  private int checked;

  @BeforeEach
  void open() throws IOException {
    directory = Files.createDirectory(temporary.resolve("mnt"));
    opened = Engines.open(temporary.resolve("root"));
  }

  @AfterEach
  void close() throws IOException {
    engine().close();
  }

  private Engine engine() {
    return Objects.requireNonNull(opened);
  }

  /** Mounts the image, and says how its indexes lie. */
  private List<String> lies(String reference) throws Exception {
    List<String> lies = new ArrayList<>();
    try (ImageMount mount = Engines.mount(engine(), reference, directory)) {
      assertThat(mount.ended()).isFalse();
      LayerCheck check = engine().check();
      for (KeptLayer layer : engine().layers().claims().open()) {
        KeptLayer.Claim claim = Objects.requireNonNull(layer.claim());
        Fidelity fidelity = engine().layers().claims().fidelity(layer.key().format()).orElseThrow();
        check.lie(layer, claim, fidelity).ifPresent(lies::add);
        checked++;
        engine().layers().claims().honest(layer);
      }
    }
    return lies;
  }

  @Test
  void honestIndexes_areNotAccused() throws Exception {
    for (Arguments arguments : FixtureImages.all().toList()) {
      String image = String.valueOf(arguments.get()[0]);
      String tag = String.valueOf(arguments.get()[1]);
      if (FixtureImages.hasToc(tag) || tag.equals("soci2")) {
        String reference = "oci:" + Fixtures.of(image).directory() + ":" + tag;
        assertThat(lies(reference)).as("%s:%s", image, tag).isEmpty();
      }
    }
    assertThat(checked).isGreaterThan(100);
    try (Stream<Path> left = Files.list(temporary.resolve("root/checks"))) {
      assertThat(left).isEmpty();
    }
  }

  /** What a TOC may say wrongly, and what is found. */
  enum Lie {
    SET_ID("\"/" + FILE + "\" has mode") {
      @Override
      void tell(ArrayNode entries) {
        LyingToc.entry(entries, FILE).put("mode", 04755);
      }
    },
    ANOTHER_FILES_CONTENT("\"/data/sizes/f4097\" has size 4096, in the layer 4097") {
      @Override
      void tell(ArrayNode entries) {
        ObjectNode one = LyingToc.entry(entries, FILE);
        ObjectNode other = LyingToc.entry(entries, "data/sizes/f4097");
        one.put("name", "data/sizes/f4097");
        other.put("name", FILE);
      }
    },
    ONE_MORE("\"/data/sizes/more\" is not in the layer") {
      @Override
      void tell(ArrayNode entries) {
        entries.add(
            LyingToc.entry(entries, "data/sizes/f0").deepCopy().put("name", "data/sizes/more"));
      }
    };

    private final String found;

    Lie(String found) {
      this.found = found;
    }

    abstract void tell(ArrayNode entries);
  }

  @ParameterizedTest
  @EnumSource
  void lyingIndex_isFound(Lie lie) throws Exception {
    Path layout = temporary.resolve("layout");
    LyingToc.write(layout, lie::tell);
    assertThat(lies("oci:" + layout + ":" + LyingToc.TAG))
        .singleElement()
        .satisfies(text -> assertThat(text).startsWith(lie.found));
  }
}
