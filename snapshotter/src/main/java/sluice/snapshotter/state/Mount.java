package sluice.snapshotter.state;

import java.util.List;

/**
 * What containerd passes to mount(2).
 *
 * @param type {@code bind} or {@code overlay}
 * @param source a directory for {@code bind}, else a mere name
 * @param options as fstab has them
 */
public record Mount(String type, String source, List<String> options) {
  public Mount {
    options = List.copyOf(options);
  }
}
