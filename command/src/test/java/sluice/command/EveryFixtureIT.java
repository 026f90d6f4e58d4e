package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.Arguments;
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
import sluice.testing.Mounted;
import sluice.testing.PrivateContainerd;
import sluice.testing.TreeListing;

/** Pulls every fixture in every format through containerd, and looks at what a container sees. */
final class EveryFixtureIT {

  private Path directory = Path.of("");
  private DockerRegistry registry;
  private Node node;
  private PrivateContainerd containerd;

  @BeforeEach
  void start() throws Exception {
    directory = Files.createTempDirectory("sl");
    registry = DockerRegistry.open();
    // An index that was made here would be preferred to that of the next tag.
    node = Node.configured("[index]\nrecord = false\n");
    containerd = PrivateContainerd.start(Map.of("sluice", node.socket()));
  }

  @AfterEach
  void stop() throws Exception {
    containerd.close();
    node.close();
    registry.close();
    Mounted.clear(directory);
    Shell.run("rm", "-rf", directory.toString()).done();
  }

  @Test
  void everyTag_isLazyAndShowsItsTree() throws Exception {
    for (String image : Fixtures.IMAGES) {
      LayoutPush.push(Fixtures.of(image).directory(), registry.host(), image);
    }
    try (RegistryClient client =
            RegistryClient.open(RegistryConfig.ofProcess(), FetchListener.NONE);
        Containerd control = Containerd.connect(containerd.socket(), "default")) {
      for (Arguments arguments : FixtureImages.all().toList()) {
        String image = String.valueOf(arguments.get()[0]);
        String tag = String.valueOf(arguments.get()[1]);
        PulledImage pulled = pull(client, control, registry.host() + "/" + image + ":" + tag);
        assertThat(pulled.layers())
            .as("%s:%s", image, tag)
            .allMatch(layer -> layer.state() == PulledLayer.State.LAZY);
        Digest chain = pulled.layers().getLast().name().chainId();
        FixtureImages.assertShows(Fixtures.of(image), tag, seen(chain));
        // Other tags have the same chain, and would be shown by this one's tree.
        containerd.ctr("images", "rm", "--sync", pulled.name());
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

  private TreeListing seen(Digest chain) throws Exception {
    Path target = Files.createDirectories(directory.resolve("seen"));
    snapshots("prepare", "look", chain.toString());
    Shell.run("sh", "-c", snapshots("mounts", target.toString(), "look")).done();
    TreeListing tree = TreeListing.of(target);
    Shell.run("umount", target.toString()).done();
    snapshots("rm", "look");
    return tree;
  }

  private String snapshots(String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of("snapshots", "--snapshotter", "sluice"));
    all.addAll(List.of(words));
    return containerd.ctr(all.toArray(String[]::new));
  }
}
