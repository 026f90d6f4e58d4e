package sluice.snapshotter.image;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import sluice.core.DeviceId;
import sluice.core.Digest;

/** Which chain a device is counted for, so that one that several share is counted once. */
final class DeviceOwners {

  private final Map<DeviceId, Digest> owners = new ConcurrentHashMap<>();

  /** Whether the device is counted for that chain: the first that asks has it. */
  boolean owns(Digest chainId, DeviceId device) {
    Digest owner = owners.putIfAbsent(device, chainId);
    return owner == null || owner.equals(chainId);
  }

  /** Lets the devices of chains that are gone be counted for others. */
  void retain(Set<Digest> chains) {
    owners.values().retainAll(chains);
  }
}
