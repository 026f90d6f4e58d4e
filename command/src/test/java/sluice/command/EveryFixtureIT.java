package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.Arguments;
import sluice.api.control.LazyLayer;
import sluice.core.Digest;
import sluice.core.ImageReference;
import sluice.core.Platform;
import sluice.registry.FetchListener;
import sluice.registry.RegistryClient;
import sluice.registry.RegistryConfig;
import sluice.snapshotter.containerd.Containerd;
import sluice.snapshotter.image.ImageResolver;
import sluice.snapshotter.image.LocalContent;
import sluice.snapshotter.image.ResolvedImage;
import sluice.snapshotter.pull.ImagePull;
import sluice.snapshotter.pull.PullListener;
import sluice.snapshotter.pull.PulledImage;
import sluice.snapshotter.pull.PulledLayer;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;

/** Pulls every fixture in every format through containerd, and looks at what a container sees. */
final class EveryFixtureIT {

  private DockerRegistry registry;
  private ContainerdNode node;

  @BeforeEach
  void start() throws Exception {
    registry = DockerRegistry.open();
    // An index that was made here would be preferred to that of the next tag.
    node = ContainerdNode.of(Node.configured("[index]\nrecord = false\n"));
  }

  @AfterEach
  void stop() throws Exception {
    node.close();
    registry.close();
  }

  @Test
  void everyTag_isLazyByItsFormatAndShowsItsTree() throws Exception {
    for (String image : Fixtures.IMAGES) {
      LayoutPush.push(Fixtures.of(image).directory(), registry.host(), image);
    }
    try (RegistryClient client =
            RegistryClient.open(RegistryConfig.ofProcess(), FetchListener.NONE);
        Containerd control = Containerd.connect(node.containerd().socket(), "default")) {
      for (Arguments arguments : FixtureImages.all().toList()) {
        String image = String.valueOf(arguments.get()[0]);
        String tag = String.valueOf(arguments.get()[1]);
        PulledImage pulled = pull(client, control, registry.host() + "/" + image + ":" + tag);
        assertThat(pulled.layers())
            .as("%s:%s", image, tag)
            .allMatch(layer -> layer.state() == PulledLayer.State.LAZY);
        Digest chain = pulled.layers().getLast().name().chainId();
        assertThat(formats())
            .as("%s:%s", image, tag)
            .containsExactlyElementsOf(FixtureImages.formats(image, tag));
        FixtureImages.assertShows(Fixtures.of(image), tag, node.tree(chain));
        // Other tags have the same chain, and would be shown by this one's tree.
        node.remove(pulled.name());
      }
    }
  }

  private static PulledImage pull(RegistryClient client, Containerd control, String reference)
      throws IOException, InterruptedException {
    ImageResolver resolver =
        new ImageResolver(client, LocalContent.NONE, new Formats(client, client)::isVariant);
    return new ImagePull(control, "sluice", client, resolver, client, new Quiet())
        .pull(ImageReference.parse(reference), Platform.parse("linux/amd64"));
  }

  private static final class Quiet implements PullListener {
    @Override
    public void resolved(ResolvedImage image) {}

    @Override
    public void asked(PulledLayer.Name layer) {}

    @Override
    public void received(PulledLayer.Name layer, long lengthBytes) {}

    @Override
    public void done(PulledLayer layer) {}
  }

  /** By which formats the daemon serves the layers of the only image that it has. */
  private Set<String> formats() throws IOException {
    return node.node().status().getImagesList().stream()
        .flatMap(image -> image.getLayersList().stream())
        .map(LazyLayer::getFormat)
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
