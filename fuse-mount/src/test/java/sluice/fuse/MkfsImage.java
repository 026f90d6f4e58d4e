package sluice.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import sluice.core.LazyDevice;

/**
 * A directory as mkfs.erofs packs it: a metadata image and one device with all file data. A foreign
 * writer, so that what our mounts show is checked against the directory itself.
 */
public record MkfsImage(Path metadata, TestDevice device) {

  private static final int BLOCK_BYTES = 4096;

  /** Packs {@code tree} into two files in {@code directory}. */
  public static MkfsImage pack(Path tree, Path directory, String name)
      throws IOException, InterruptedException {
    Path metadata = directory.resolve(name + ".erofs");
    Path data = directory.resolve(name + ".data");
    Process mkfs =
        new ProcessBuilder(
                "mkfs.erofs",
                "--quiet",
                "-x2",
                "--chunksize=4096",
                "--blobdev=" + data,
                metadata.toString(),
                tree.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(mkfs.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(mkfs.waitFor()).as(said).isZero();
    try (RandomAccessFile file = new RandomAccessFile(data.toFile(), "rw")) {
      file.setLength((file.length() + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES);
    }
    assertThat(Files.size(metadata)).isPositive();
    return new MkfsImage(metadata, new TestDevice(data));
  }

  public List<LazyDevice> devices() {
    return List.of(device);
  }
}
