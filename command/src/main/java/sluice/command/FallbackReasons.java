package sluice.command;

import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.api.control.ControlGrpc;
import sluice.api.control.Fallback;
import sluice.api.control.StatusRequest;
import sluice.snapshotter.containerd.SocketChannel;

/** Why layers were unpacked the ordinary way, which containerd does not tell its clients. */
final class FallbackReasons {

  private static final Logger LOG = LoggerFactory.getLogger(FallbackReasons.class);

  private static final long LIMIT_SECONDS = 5;

  private FallbackReasons() {}

  /** The reasons that the daemon knows, by chain ID; none if it does not answer. */
  static Map<String, String> of(Path daemon, Set<String> chainIds) {
    Map<String, String> reasons = new HashMap<>();
    try (SocketChannel channel = SocketChannel.to(daemon)) {
      for (Fallback fallback :
          ControlGrpc.newBlockingStub(channel.channel())
              .withDeadlineAfter(LIMIT_SECONDS, TimeUnit.SECONDS)
              .status(StatusRequest.getDefaultInstance())
              .getFallbacksList()) {
        if (chainIds.contains(fallback.getChainId())) {
          reasons.putIfAbsent(fallback.getChainId(), fallback.getReason());
        }
      }
    } catch (StatusRuntimeException e) {
      LOG.warn("why layers are not lazy is not known: {} does not say: {}", daemon, e.getMessage());
    }
    return reasons;
  }
}
