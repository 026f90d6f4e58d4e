package sluice.command;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import sluice.api.containerd.snapshots.Info;
import sluice.api.containerd.snapshots.UsageResponse;
import sluice.api.containerd.types.Mount;
import sluice.core.ChainId;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.testing.DockerRegistry;
import sluice.testing.LayoutPush;
import sluice.testing.LayoutWriter;
import sluice.testing.Mounted;
import sluice.testing.SnapshotClient;
import sluice.testing.UpperLayer;

/**
 * Speaks to the daemon as containerd's metadata store does: it knows snapshots by names of its own.
 * So a case need not know whether what it committed became a local or a lazy snapshot.
 *
 * <p>A lazy commit goes the whole way: what was written becomes a layer of an image in a registry,
 * and that layer is prepared with the labels that containerd sends.
 */
final class SuiteBackend {

  private static final String CRI = "containerd.io/snapshot/cri.";
  private static final String REPOSITORY = "suite";

  /** Which commits become lazy snapshots. */
  enum Laziness {
    /** None. */
    NONE,
    /** Those without a parent: everything above stands on a lazy base. */
    BASE,
    /** All: chains are merged. */
    ALL
  }

  private final SuiteNode node;
  private final SnapshotClient client;
  private final DockerRegistry registry;
  private final Laziness laziness;
  private final Map<String, String> backendNames = new HashMap<>();
  private final Map<String, String> ownNames = new HashMap<>();

  /** The layers of lazy snapshots, by name; lowest first. */
  private final Map<String, List<Descriptor>> images = new HashMap<>();

  private int mountpoints;

  SuiteBackend(SuiteNode node, DockerRegistry registry, Laziness laziness) {
    this.node = node;
    this.client = node.client();
    this.registry = registry;
    this.laziness = laziness;
  }

  List<Mount> prepare(String key, String parent, String... labels) {
    return client.prepare(key, backend(parent), labels);
  }

  List<Mount> view(String key, String parent, String... labels) {
    return client.view(key, backend(parent), labels);
  }

  List<Mount> mounts(String key) {
    return client.mounts(key);
  }

  /** Commits, locally or lazily. */
  void commit(String name, String key, String... labels) throws IOException, InterruptedException {
    String parent = stat(key).getParent();
    if (laziness == Laziness.ALL || (laziness == Laziness.BASE && parent.isEmpty())) {
      commitLazily(name, key, parent, SnapshotClient.labels(labels));
    } else {
      commitLocally(name, key, "", labels);
    }
  }

  void commitLocally(String name, String key, String parent, String... labels) {
    client.commit(name, key, parent, labels);
  }

  private void commitLazily(String name, String key, String parent, Map<String, String> labels)
      throws IOException, InterruptedException {
    if (exists(name)) {
      throw Status.ALREADY_EXISTS.asRuntimeException();
    }
    Path layout = Files.createTempDirectory(node.work(), "layout");
    Path tar = layout.resolve("layer.tar");
    UpperLayer.pack(upper(key), name, tar);
    LayoutWriter writer = LayoutWriter.in(layout);
    List<Descriptor> layers = new ArrayList<>(images.getOrDefault(parent, List.of()));
    layers.add(writer.layer(tar));
    String tag = "to-" + layers.getLast().digest().hex();
    Descriptor manifest = writer.image(tag, layers);
    LayoutPush.push(layout, registry.host(), REPOSITORY);
    images.put(name, layers);

    remove(key);
    String chainId = chainId(layers).toString();
    Map<String, String> all = new HashMap<>(labels);
    all.put(SnapshotClient.REF, chainId);
    all.put(CRI + "image-ref", registry.host() + "/" + REPOSITORY + ":" + tag);
    all.put(CRI + "manifest-digest", manifest.digest().toString());
    all.put(CRI + "layer-digest", layers.getLast().digest().toString());
    prepareLazily("extract-" + name, parent, all);
    backendNames.put(name, client.lazy(chainId, backend(parent)).getName());
    ownNames.put(backendNames.get(name), name);
  }

  private void prepareLazily(String key, String parent, Map<String, String> labels) {
    try {
      List<Mount> mounts = client.prepare(key, backend(parent), labels);
      throw new AssertionError("ALREADY_EXISTS expected, found " + mounts);
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() != Status.Code.ALREADY_EXISTS) {
        throw e;
      }
    }
  }

  private static Digest chainId(List<Descriptor> layers) {
    return ChainId.ofAll(layers.stream().map(Descriptor::digest).toList()).getLast();
  }

  /** The directory that overlayfs or a bind mount of this active snapshot writes to. */
  private Path upper(String key) {
    Mount mount = mounts(key).getFirst();
    return mount.getOptionsList().stream()
        .filter(option -> option.startsWith("upperdir="))
        .map(option -> Path.of(option.substring("upperdir=".length())))
        .findFirst()
        .orElseGet(() -> Path.of(mount.getSource()));
  }

  void remove(String name) {
    client.remove(backend(name));
    backendNames.remove(name);
  }

  Info stat(String name) {
    return own(client.stat(backend(name)));
  }

  private boolean exists(String name) {
    try {
      return !stat(name).getName().isEmpty();
    } catch (StatusRuntimeException e) {
      return false;
    }
  }

  Info update(Info info, String... paths) {
    return own(client.update(info.toBuilder().setName(backend(info.getName())).build(), paths));
  }

  /** By the names of this class; filters on names and parents are only for what is local. */
  List<Info> list(String... filters) {
    return client.list(filters).stream().map(this::own).toList();
  }

  UsageResponse usage(String name) {
    return client.usage(backend(name));
  }

  void cleanup() {
    client.cleanup();
  }

  /** The name by which the daemon knows a snapshot. */
  String backend(String name) {
    return backendNames.getOrDefault(name, name);
  }

  /** Mounts at a place of its own. */
  Mounted mount(List<Mount> mounts) throws IOException {
    return Mounted.on(node.work().resolve("m" + mountpoints++), mounts);
  }

  private Info own(Info info) {
    Info.Builder own = info.toBuilder();
    own.setName(ownNames.getOrDefault(info.getName(), info.getName()));
    own.setParent(ownNames.getOrDefault(info.getParent(), info.getParent()));
    info.getLabelsMap().keySet().stream()
        .filter(label -> label.equals(SnapshotClient.REF) || label.startsWith(CRI))
        .forEach(own::removeLabels);
    return own.build();
  }
}
