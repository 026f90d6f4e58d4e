package sluice.snapshotter.image;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import sluice.snapshotter.image.ImageLibrary.RunState;
import sluice.snapshotter.state.LazyLayers.Needed;
import sluice.snapshotter.state.LazyLayers.Pin;
import sluice.snapshotter.state.LazyLayers.Rootfs;
import sluice.snapshotter.state.LazyRun;

/** Runs of lazy layers that are directories, or should be. Safe for use by many threads. */
final class MountedRuns {

  private static final String ENDED =
      "somebody else unmounted it: its containers get errors until they are started again";

  private final RunTrees runTrees;
  private final ChainLibrary chains;
  private final RootfsLibrary roots;
  private final Pins pins;
  private final Map<LazyRun, ChainKey> keys = new ConcurrentHashMap<>();

  /** Why runs could not be mounted when that was last tried. */
  private final Map<LazyRun, String> problems = new ConcurrentHashMap<>();

  MountedRuns(RunTrees runTrees, ChainLibrary chains, RootfsLibrary roots, Pins pins) {
    this.runTrees = runTrees;
    this.chains = chains;
    this.roots = roots;
    this.pins = pins;
  }

  /** Mounts a run, or finds it mounted; makes what is missing for it. */
  Rootfs mount(LazyRun run) throws IOException, InterruptedException {
    Pin trees = pins.pin(RunTrees.things(run.layers()));
    try {
      MergeInput input = runTrees.input(run);
      ChainKey key = ChainKey.of(input);
      Pin chain = pins.pin(List.of(key));
      keys.put(run, key);
      try {
        var lower = roots.mount(key, () -> SingleFlight.await(chains.merge(key, input)));
        problems.remove(run);
        return new Rootfs(
            lower,
            () -> {
              chain.close();
              trees.close();
            });
      } catch (IOException | InterruptedException | RuntimeException e) {
        chain.close();
        throw e;
      }
    } catch (IOException e) {
      trees.close();
      problems.put(run, String.valueOf(e.getMessage()));
      throw new IOException(
          "image %s, chain %s: cannot be mounted: %s"
              .formatted(run.top().image(), run.top().chainId(), e.getMessage()),
          e);
    } catch (InterruptedException | RuntimeException e) {
      trees.close();
      throw e;
    }
  }

  /** What is mounted, and what could not be. */
  List<RunState> states() {
    Set<ChainKey> mounted = roots.mounted();
    List<RunState> states = new ArrayList<>();
    keys.forEach((run, key) -> {
      if (mounted.contains(key) && !problems.containsKey(run)) {
        boolean ended = !roots.alive(key);
        String problem = runTrees.lie(run).orElse(ended ? ENDED : "");
        states.add(
            new RunState(
                run.top().chainId(), roots.target(key).toString(), roots.driver(), problem, ended));
      }
    });
    problems.forEach((run, problem) ->
        states.add(new RunState(run.top().chainId(), "", roots.driver(), problem, false)));
    return states;
  }

  /** The merged images that are mounted. */
  Set<ChainKey> mounted() {
    return roots.mounted();
  }

  /** The merged image that shows a run; empty if it was never mounted. */
  Optional<ChainKey> key(LazyRun run) {
    return Optional.ofNullable(keys.get(run));
  }

  void unmount(ChainKey key) throws IOException {
    roots.unmount(key);
    keys.values().removeIf(key::equals);
  }

  /** Forgets what is known of runs and layers that nothing stands on any more. */
  void forgetBut(Needed needed) {
    problems.keySet().retainAll(needed.mounted());
    runTrees.forgetBut(needed.committed());
  }
}
