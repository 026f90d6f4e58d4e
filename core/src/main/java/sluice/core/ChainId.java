package sluice.core;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Chain IDs of layers (OCI image specification, "Layer ChainID"). */
public final class ChainId {

  private ChainId() {}

  /** The chain ID of every prefix of {@code diffIds}, lowest first. */
  public static List<Digest> ofAll(List<Digest> diffIds) {
    List<Digest> chain = new ArrayList<>(diffIds.size());
    for (Digest diffId : diffIds) {
      chain.add(chain.isEmpty() ? diffId : next(chain.getLast(), diffId));
    }
    return List.copyOf(chain);
  }

  /** The chain ID of a layer on top of the chain {@code below}. */
  public static Digest next(Digest below, Digest diffId) {
    return Digest.sha256((below + " " + diffId).getBytes(StandardCharsets.UTF_8));
  }
}
