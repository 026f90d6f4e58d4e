package sluice.snapshotter.check;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import sluice.snapshotter.image.LayerKey;

/**
 * A layer that could not be compared with its index so far.
 *
 * @param reason why not, the last time
 * @param tries how often that was tried since the process started, 1 or more
 * @param nextTry not tried before; null if not before the process starts again
 */
public record UndecidedLayer(LayerKey key, String reason, int tries, @Nullable Instant nextTry) {}
