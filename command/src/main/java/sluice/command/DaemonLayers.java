package sluice.command;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import sluice.api.control.Fallback;
import sluice.api.control.LazyImage;
import sluice.api.control.LazyLayer;
import sluice.api.control.StatusResponse;

/**
 * What became of layers, which containerd does not tell its clients: what the daemon says.
 *
 * @param served how it serves them, by chain ID
 * @param unpacked why they were unpacked the ordinary way, by chain ID
 * @param problem why the daemon does not say; empty if it does
 */
record DaemonLayers(Map<String, LazyLayer> served, Map<String, String> unpacked, String problem) {

  /** Asks the daemon; nothing is known if it does not answer. */
  static DaemonLayers ask(Path daemon) {
    StatusResponse status;
    try {
      status = ControlClient.status(daemon);
    } catch (IOException e) {
      return new DaemonLayers(Map.of(), Map.of(), Failure.sentence(e));
    }
    Map<String, LazyLayer> served = new HashMap<>();
    for (LazyImage image : status.getImagesList()) {
      image.getLayersList().forEach(layer -> served.put(layer.getChainId(), layer));
    }
    Map<String, String> unpacked = new HashMap<>();
    for (Fallback fallback : status.getFallbacksList()) {
      // The newest comes first.
      unpacked.putIfAbsent(fallback.getChainId(), fallback.getReason());
    }
    return new DaemonLayers(served, unpacked, "");
  }
}
