package sluice.snapshotter.suite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import sluice.core.ChainId;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.snapshotter.containerd.Containerd;
import sluice.snapshotter.image.ImageResolver;
import sluice.snapshotter.image.LocalContent;
import sluice.snapshotter.image.ResolvedImage;
import sluice.snapshotter.pull.ImagePull;
import sluice.snapshotter.pull.PullListener;
import sluice.snapshotter.pull.PulledImage;
import sluice.snapshotter.pull.PulledLayer;
import sluice.snapshotter.pull.PulledLayer.State;
import sluice.testing.Fixtures;
import sluice.testing.Mounted;
import sluice.testing.PrivateContainerd;

/** Pulls into a real containerd; which layers are lazy is decided here. */
final class ImagePullIT {

  private static final int PULLERS = 4;

  private final FixtureRegistry registry = new FixtureRegistry();
  private final Received received = new Received();
  private TestDaemon daemon;
  private PrivateContainerd containerd;

  /** Counts what had to be fetched. */
  private static final class Received implements PullListener {
    private final List<PulledLayer> done = new ArrayList<>();
    private long bytes;

    @Override
    public void resolved(ResolvedImage image) {}

    @Override
    public void asked(PulledLayer.Name layer) {}

    @Override
    public synchronized void received(PulledLayer.Name layer, long lengthBytes) {
      bytes += lengthBytes;
    }

    @Override
    public synchronized void done(PulledLayer layer) {
      done.add(layer);
    }
  }

  @BeforeEach
  void start() throws Exception {
    daemon = TestDaemon.start();
    containerd = PrivateContainerd.start(Map.of("sluice", daemon.socket()));
  }

  @AfterEach
  void stop() throws Exception {
    containerd.close();
    daemon.close();
  }

  @Test
  void lazyOrdinaryLazy_runs_surviveCollection_andGoWithTheImage() throws Exception {
    makeLazy(0);
    makeLazy(2);

    PulledImage pulled = pull("default", Fixtures.SOURCE);
    assertThat(states(pulled)).containsExactly(State.LAZY, State.UNPACKED, State.LAZY);
    assertThat(received.done).isEqualTo(pulled.layers());
    assertThat(received.bytes).isEqualTo(pulled.layers().get(1).name().descriptor().sizeBytes());
    assertThat(containerd.ctr("content", "list", "-q"))
        .contains(pulled.manifest().toString(), layerDigest(pulled, 1))
        .doesNotContain(layerDigest(pulled, 0), layerDigest(pulled, 2));
    assertThat(containerd.ctr("leases", "list", "-q")).isBlank();
    assertThat(containerd.ctr("images", "list")).contains(pulled.name());
    assertThat(run("default", pulled)).isEqualTo(expectedOutput());

    containerd.collectGarbage();
    assertThat(run("default", pulled)).isEqualTo(expectedOutput());

    containerd.ctr("images", "rm", "--sync", pulled.name());
    containerd.collectGarbage();
    assertThat(daemon.status().getSnapshots().getCommittedLazy()).isZero();
    assertThat(daemon.status().getSnapshots().getCommittedLocal()).isZero();
    assertThat(containerd.ctr("content", "list", "-q")).isBlank();
  }

  @Test
  void index_isKeptWhole_andKnownTheSecondTime() throws Exception {
    PulledImage first = pull("default", FixtureRegistry.INDEX);
    assertThat(states(first)).containsOnly(State.UNPACKED);
    assertThat(first.target().digest()).isNotEqualTo(first.manifest());
    containerd.collectGarbage();
    assertThat(run("default", first)).isEqualTo(expectedOutput());

    long fetches = registry.fetches();
    PulledImage again = pull("default", FixtureRegistry.INDEX);
    assertThat(states(again)).containsOnly(State.KNOWN);
    assertThat(registry.fetches()).isEqualTo(fetches);
    assertThat(containerd.ctr("images", "list")).contains(first.target().digest().toString());
  }

  @Test
  void pullsAtOnce_allSucceed() throws Exception {
    makeLazy(0);
    try (ExecutorService pullers = Executors.newFixedThreadPool(PULLERS)) {
      List<Future<PulledImage>> pulls = new ArrayList<>();
      for (int i = 0; i < PULLERS; i++) {
        pulls.add(pullers.submit(() -> pull("default", Fixtures.SOURCE)));
      }
      for (Future<PulledImage> pull : pulls) {
        assertThat(pull.get().layers()).hasSize(3);
      }
    }
    containerd.collectGarbage();
    assertThat(run("default", pull("default", Fixtures.SOURCE))).isEqualTo(expectedOutput());
    containerd.collectGarbage();
    assertThat(daemon.status().getSnapshots().getActive()).isZero();
  }

  @Test
  void secondNamespace_fetchesNothing_andOutlivesTheFirst() throws Exception {
    makeLazy(0);
    PulledImage one = pull("one", Fixtures.SOURCE);
    long fetches = registry.fetches();
    PulledImage two = pull("two", Fixtures.SOURCE);
    assertThat(states(two)).containsExactly(State.LAZY, State.UNPACKED, State.UNPACKED);
    assertThat(registry.fetches()).isEqualTo(fetches);

    containerd.ctr("-n", "one", "images", "rm", "--sync", one.name());
    containerd.collectGarbage();
    assertThat(run("two", two)).isEqualTo(expectedOutput());
  }

  @Test
  void wrongDiffId_isRefused_andLeavesNothing() throws Exception {
    registry.lieAbout(1);
    assertThatThrownBy(() -> pull("default", Fixtures.SOURCE))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("layer 2 of 3")
        .hasMessageContaining(Digest.sha256(new byte[] {1}).toString());
    containerd.collectGarbage();
    assertThat(containerd.ctr("content", "list", "-q")).isBlank();
    assertThat(daemon.root().resolve("snapshots")).isEmptyDirectory();
  }

  @Test
  void unknownSnapshotter_isNamed() {
    assertThatThrownBy(() -> pull("default", "other", containerd.socket()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no snapshotter \"other\"")
        .hasMessageContaining("[proxy_plugins.other]");
  }

  @Test
  void socketOfAnotherServer_isNotContainerd() {
    assertThatThrownBy(() -> pull("default", "sluice", daemon.socket()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(daemon.socket() + " is not containerd");
  }

  @Test
  void containerdThatIsNotThere_isNamed() {
    containerd.stop();
    assertThatThrownBy(() -> pull("default", Fixtures.SOURCE))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(containerd.socket() + " does not answer; is it running?");
  }

  private void makeLazy(int layer) throws IOException {
    Fixtures reader = Fixtures.of("reader");
    Digest chainId = ChainId.ofAll(reader.diffIds(Fixtures.SOURCE)).get(layer);
    Path blob = reader.blob(reader.document(Fixtures.SOURCE).layers().get(layer).digest());
    Path directory = Files.createDirectories(daemon.layers().layer(chainId));
    Mounted.run(directory, "tar", "-xpzf", blob.toString());
  }

  private PulledImage pull(String namespace, String tag) throws IOException, InterruptedException {
    return pull(namespace, "sluice", containerd.socket(), tag);
  }

  private PulledImage pull(String namespace, String snapshotter, Path socket)
      throws IOException, InterruptedException {
    return pull(namespace, snapshotter, socket, Fixtures.SOURCE);
  }

  private PulledImage pull(String namespace, String snapshotter, Path socket, String tag)
      throws IOException, InterruptedException {
    try (Containerd client = Containerd.connect(socket, namespace)) {
      return new ImagePull(
              client,
              snapshotter,
              registry,
              new ImageResolver(registry, LocalContent.NONE, descriptor -> false),
              registry,
              received)
          .pull(FixtureRegistry.reference(tag), FixtureRegistry.AMD64);
    }
  }

  private String run(String namespace, PulledImage image) throws Exception {
    List<String> words = new ArrayList<>(List.of("-n", namespace, "run", "--rm"));
    words.addAll(List.of("--snapshotter", "sluice", image.name(), "once", "/bin/reader"));
    words.addAll(List.of("/data/text0", "/data/noise0", "/data/text1", "/data/noise1"));
    return containerd.ctr(words.toArray(String[]::new));
  }

  private static String expectedOutput() throws IOException {
    return Files.readString(Fixtures.root().resolve("reader.out"));
  }

  private static List<State> states(PulledImage image) {
    return image.layers().stream().map(PulledLayer::state).toList();
  }

  private static String layerDigest(PulledImage image, int layer) {
    return image.layers().get(layer).name().descriptor().digest().toString();
  }
}
