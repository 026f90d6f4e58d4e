package sluice.snapshotter.check;

import java.util.Collection;
import java.util.Collections;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import sluice.core.DeviceId;

/**
 * Devices of which a chunk could not be verified: the index may be wrong, and as that chunk never
 * becomes present, the layer would never be read whole. At most those that the node has. Safe for
 * use by many threads.
 */
public final class Suspects {

  private final Set<DeviceId> devices = ConcurrentHashMap.newKeySet();

  /** Notes that a chunk of the device could not be verified. */
  public void add(DeviceId device) {
    devices.add(device);
  }

  /** Whether one of the devices is among them. */
  boolean anyOf(Collection<DeviceId> some) {
    return !Collections.disjoint(devices, some);
  }

  /** Forgets all but these. */
  void retain(Collection<DeviceId> some) {
    devices.retainAll(some);
  }
}
