package sluice.mount;

import java.nio.file.Path;
import java.util.List;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseOptions;
import sluice.fuse.TestDevice;
import sluice.fuse.Transport;

/** Mounts an image and serves it until it is killed: a process of its own, to be killed. */
final class LeftMount {

  private LeftMount() {}

  /** Arguments: the node's directory, the metadata image, the device's file, the target. */
  public static void main(String[] arguments) throws Exception {
    FuseMounters.forNode(
            Transport.RAW, Path.of(arguments[0]), FuseOptions.forContainers(), FuseListener.NONE)
        .mount(
            Path.of(arguments[1]),
            List.of(new TestDevice(Path.of(arguments[2]))),
            Path.of(arguments[3]));
    Thread.sleep(Long.MAX_VALUE);
  }
}
