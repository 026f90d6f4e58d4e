package sluice.fuse;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import sluice.core.LazyDevice;

/**
 * The device files that mounted images read, each opened once however many images share it. Safe
 * for use by many threads.
 */
final class DeviceFiles {

  private static final class Use {
    final DeviceFile file;
    int images;

    Use(DeviceFile file) {
      this.file = file;
    }
  }

  /** By object: a store gives the same one while it keeps the device. Guarded by this. */
  private final IdentityHashMap<LazyDevice, Use> uses = new IdentityHashMap<>();

  /** The files of the devices, slot by slot; {@link #release} takes them back. */
  synchronized List<DeviceFile> acquire(List<LazyDevice> devices) {
    List<DeviceFile> files = new ArrayList<>(devices.size());
    for (LazyDevice device : devices) {
      Use use = uses.computeIfAbsent(device, d -> new Use(new DeviceFile(d)));
      use.images++;
      files.add(use.file);
    }
    return List.copyOf(files);
  }

  /** Closes those that no other image reads. */
  synchronized void release(List<DeviceFile> files) {
    for (DeviceFile file : files) {
      Use use = uses.get(file.device());
      if (use != null && --use.images == 0) {
        uses.remove(file.device());
        file.close();
      }
    }
  }
}
