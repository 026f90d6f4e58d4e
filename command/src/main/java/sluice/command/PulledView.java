package sluice.command;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sluice.api.control.LazyLayer;
import sluice.snapshotter.image.LayerTally;
import sluice.snapshotter.pull.PulledImage;
import sluice.snapshotter.pull.PulledLayer;
import sluice.snapshotter.pull.PulledLayer.State;

/**
 * A pulled image, for people and for scripts.
 *
 * @param daemon what the daemon says of its layers
 * @param took how long the pull took
 */
record PulledView(PulledImage pulled, DaemonLayers daemon, Duration took) {

  /** The keys that scripts rely on; sizes in bytes. */
  Json json() {
    return new Json()
        .with("image", pulled.name())
        .with("digest", pulled.target().digest().toString())
        .with("manifest", pulled.manifest().toString())
        .with("layers", pulled.layers().stream().map(this::json).toList())
        .with("seconds", took.toMillis() / 1e3);
  }

  /** Of a layer of which the daemon says nothing, only the state is known. */
  private Map<String, Object> json(PulledLayer layer) {
    Json json =
        new Json()
            .with("digest", layer.name().descriptor().digest().toString())
            .with("chainId", chainId(layer))
            .with("sizeBytes", layer.name().descriptor().sizeBytes())
            .with("state", layer.state().name().toLowerCase(Locale.ROOT));
    LazyLayer served = served(layer);
    if (served != null) {
      json.with("format", served.getFormat()).with("streamed", served.getStreamed());
    }
    String reason = reason(layer);
    if (!reason.isEmpty()) {
      json.with("reason", reason);
    }
    return json.members();
  }

  String text() {
    List<String> lines = new ArrayList<>();
    lines.add(pulled.name());
    lines.add("  digest   " + pulled.target().digest());
    if (!pulled.manifest().equals(pulled.target().digest())) {
      lines.add("  manifest " + pulled.manifest());
    }
    lines.add(
        "  layers   %d: %s, %d unpacked, %d known before"
            .formatted(
                pulled.layers().size(),
                lazy(),
                pulled.count(State.UNPACKED),
                pulled.count(State.KNOWN)));
    reasons()
        .forEach((what, layers) ->
            lines.add("           layer %s %s".formatted(String.join(", ", layers), what)));
    if (!daemon.problem().isEmpty()) {
      lines.add("           how they are served, the daemon does not say: " + daemon.problem());
    }
    lines.add(String.format(Locale.ROOT, "  seconds  %.1f", took.toMillis() / 1e3));
    return String.join(System.lineSeparator(), lines);
  }

  /** What became of the layers that the snapshotter made ready. */
  private String lazy() {
    LayerTally tally = new LayerTally();
    long unknown = 0;
    for (PulledLayer layer : pulled.layers()) {
      if (layer.state() == State.LAZY) {
        LazyLayer served = served(layer);
        if (served == null) {
          unknown++;
        } else {
          tally.add(served.getFormat(), served.getStreamed());
        }
      }
    }
    return unknown == 0 ? tally.toString() : pulled.count(State.LAZY) + " lazy or streamed";
  }

  /** What became of layers, and why, with the numbers of those layers. */
  private Map<String, List<String>> reasons() {
    Map<String, List<String>> reasons = new LinkedHashMap<>();
    for (PulledLayer layer : pulled.layers()) {
      String reason = reason(layer);
      if (!reason.isEmpty()) {
        String what = layer.state() == State.UNPACKED ? "unpacked: " : "streamed: ";
        reasons
            .computeIfAbsent(what + reason, same -> new ArrayList<>())
            .add(String.valueOf(layer.name().number()));
      }
    }
    return reasons;
  }

  /** Why the layer is not lazy; empty if it is, or if that is not known. */
  private String reason(PulledLayer layer) {
    if (layer.state() == State.UNPACKED) {
      return daemon.unpacked().getOrDefault(chainId(layer), "");
    }
    LazyLayer served = served(layer);
    return served == null ? "" : served.getReason();
  }

  private @Nullable LazyLayer served(PulledLayer layer) {
    return layer.state() == State.UNPACKED ? null : daemon.served().get(chainId(layer));
  }

  private static String chainId(PulledLayer layer) {
    return layer.name().chainId().toString();
  }
}
