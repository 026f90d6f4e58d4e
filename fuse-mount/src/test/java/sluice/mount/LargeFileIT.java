package sluice.mount;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import sluice.core.Bytes;
import sluice.erofs.Attributes;
import sluice.erofs.DeviceSlot;
import sluice.erofs.Extent;
import sluice.erofs.FileContent;
import sluice.erofs.LayerTree;
import sluice.erofs.MetadataImageMerge;
import sluice.erofs.MetadataImageWriter;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseOptions;
import sluice.fuse.FuseSession;
import sluice.fuse.Posix;
import sluice.fuse.TestDevice;
import sluice.fuse.Transport;
import sluice.linux.Errno;
import sluice.linux.Linux;

/** A file over 4 GiB of which little is data, in an image of our own, on a user's directory. */
final class LargeFileIT {

  private static final long GIB = 1L << 30;
  private static final long SIZE = 5 * GIB + 123;
  private static final long SECOND = 4 * GIB + (64 << 10);
  private static final int DEVICE_BYTES = 16 << 10;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;

  @TempDir Path scratch;

  @ParameterizedTest
  @EnumSource
  void read_anywhere_givesDataAndZeros(Transport transport) throws Exception {
    byte[] data = new byte[DEVICE_BYTES];
    new Random(7).nextBytes(data);
    Path target = Files.createDirectory(scratch.resolve("mnt"));
    TestDevice device = new TestDevice(Files.write(scratch.resolve("device"), data));

    try (FuseSession session =
            FuseMounters.onDirectory(
                transport,
                "large",
                image(),
                List.of(device),
                target,
                FuseOptions.forUsers(),
                FuseListener.NONE);
        FileChannel file = FileChannel.open(session.target().resolve("large"))) {
      assertThat(file.size()).isEqualTo(SIZE);
      assertThat(read(file, 0, 4096)).isEqualTo(ByteBuffer.wrap(data, 0, 4096));
      assertThat(read(file, SECOND, 4096)).isEqualTo(ByteBuffer.wrap(data, 4096, 4096));
      assertThat(read(file, SIZE - 123, 123)).isEqualTo(ByteBuffer.wrap(data, 8192, 123));
      assertThat(read(file, SECOND - 100, 100)).isEqualTo(ByteBuffer.allocate(100));
      assertThat(read(file, 2 * GIB + 5, 9999)).isEqualTo(ByteBuffer.allocate(9999));
      assertThat(file.read(ByteBuffer.allocate(10), SIZE)).isEqualTo(-1);
    }
  }

  @ParameterizedTest
  @EnumSource(names = "RAW")
  void seek_forDataAndHoles_findsThem(Transport transport) throws Exception {
    Path target = Files.createDirectory(scratch.resolve("mnt"));
    TestDevice device =
        new TestDevice(Files.write(scratch.resolve("device"), new byte[DEVICE_BYTES]));

    try (FuseSession session =
        FuseMounters.onDirectory(
            transport,
            "large",
            image(),
            List.of(device),
            target,
            FuseOptions.forUsers(),
            FuseListener.NONE)) {
      int fd = Linux.open(session.target().resolve("large"), Linux.O_RDONLY);
      try {
        assertThat(Posix.seek(fd, 0, SEEK_DATA)).isZero();
        assertThat(Posix.seek(fd, 0, SEEK_HOLE)).isEqualTo(4096);
        assertThat(Posix.seek(fd, 4096, SEEK_DATA)).isEqualTo(SECOND);
        assertThat(Posix.seek(fd, SECOND, SEEK_HOLE)).isEqualTo(SECOND + 4096);
        assertThat(Posix.seek(fd, SECOND + 4096, SEEK_DATA)).isEqualTo(SIZE - 123);
        assertThat(Posix.seek(fd, SIZE - 123, SEEK_HOLE)).isEqualTo(SIZE);
        assertThat(Posix.seek(fd, SIZE, SEEK_DATA)).isEqualTo(-Errno.ENXIO);
      } finally {
        Linux.close(fd);
      }
    }
  }

  private Path image() throws Exception {
    Attributes attributes = new Attributes(0100644, 0, 0, 0, 0);
    LayerTree tree = new LayerTree("large");
    tree.file(
        Bytes.utf8("large"),
        attributes,
        new FileContent(
            SIZE,
            List.of(
                new Extent(0, 4096, 0, 0),
                new Extent(SECOND, 4096, 0, 4096),
                new Extent(SIZE - 123, 123, 0, 8192))));
    Path layer = scratch.resolve("layer.erofs");
    Path merged = scratch.resolve("merged.erofs");
    MetadataImageWriter.write(tree, List.of(new DeviceSlot("d".repeat(64), DEVICE_BYTES)), layer);
    MetadataImageMerge.merge(List.of(layer), merged);
    return merged;
  }

  private static ByteBuffer read(FileChannel file, long offset, int length) throws Exception {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    int count = 0;
    while (count >= 0 && bytes.hasRemaining()) {
      count = file.read(bytes, offset + bytes.position());
    }
    return bytes.flip();
  }
}
