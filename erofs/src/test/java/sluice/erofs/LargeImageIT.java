package sluice.erofs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Bytes;
import sluice.testing.ErofsMount;

/** Images as large as they get, and what they cost. */
class LargeImageIT {

  private static final long BLOCK = 4096;
  private static final long MEBIBYTE = 1 << 20;
  private static final String MERGE_HEAP = "160m";
  private static final Attributes PLAIN = new Attributes(0644, 0, 0, 1_700_000_000, 1);

  @TempDir private Path scratch;

  @Test
  void kernel_readsEveryOf65535Devices() throws Exception {
    int count = DeviceSlot.MAX_DEVICES;
    Path device = scratch.resolve("device");
    Files.writeString(device, "x".repeat((int) BLOCK), StandardCharsets.US_ASCII);
    Path last = scratch.resolve("last");
    Files.writeString(last, "y".repeat((int) BLOCK), StandardCharsets.US_ASCII);
    List<DeviceSlot> slots = new ArrayList<>();
    LayerTree tree = new LayerTree("devices");
    for (int i = 0; i < count; i++) {
      slots.add(new DeviceSlot("tag-%064d".formatted(i).substring(4), BLOCK));
      tree.file(Bytes.utf8("d/" + i), PLAIN, FileContent.contiguous(1, i, 0));
    }
    Path layer = scratch.resolve("layer");
    MetadataImageWriter.write(tree, slots, layer);
    Path merged = scratch.resolve("merged");
    MetadataImageMerge.merge(List.of(layer), merged);
    try (MetadataImage image = MetadataImage.open(merged)) {
      assertThat(image.devices()).isEqualTo(slots);
    }
    List<Path> devices = new ArrayList<>(Collections.nCopies(count - 1, device));
    devices.add(last);
    Path target = Files.createDirectory(scratch.resolve("mount"));
    try (ErofsMount _ = ErofsMount.of(merged, devices, target)) {
      Path files = target.resolve("fs/d");
      assertThat(files.resolve("0")).hasContent("x");
      assertThat(files.resolve("40000")).hasContent("x");
      assertThat(files.resolve("" + (count - 2))).hasContent("x");
      assertThat(files.resolve("" + (count - 1))).hasContent("y");
    }
  }

  @Test
  void list_of100000Entries_resumesAtEveryCookie() throws Exception {
    int count = 100_000;
    LayerTree tree = new LayerTree("directory");
    for (int i = 0; i < count; i++) {
      tree.file(Bytes.utf8("d/" + i), PLAIN, FileContent.empty());
    }
    Path file = scratch.resolve("layer");
    MetadataImageWriter.write(tree, List.of(), file);
    try (MetadataImage image = MetadataImage.open(file)) {
      long nid = image.lookup(image.rootNid(), Bytes.utf8("d"));
      Inode directory = image.inode(nid);
      List<Bytes> whole = new ArrayList<>();
      List<Long> cookies = new ArrayList<>();
      image.list(
          directory,
          0,
          (next, child, type, name) -> {
            cookies.add(next);
            return whole.add(name);
          });
      assertThat(whole).hasSize(count + 2).isSorted();
      for (int i = 0; i < whole.size() - 1; i += 37) {
        List<Bytes> resumed = new ArrayList<>();
        image.list(directory, cookies.get(i), (next, child, type, name) -> !resumed.add(name));
        assertThat(resumed).containsExactly(whole.get(i + 1));
      }
      for (int i = 0; i < count; i += 11) {
        assertThat(image.lookup(directory, Bytes.utf8("" + i))).isPositive();
        assertThat(image.lookup(directory, Bytes.utf8(i + "x"))).isZero();
      }
      Path target = Files.createDirectory(scratch.resolve("mount"));
      try (ErofsMount _ = ErofsMount.of(file, List.of(), target)) {
        assertThat(target.resolve("d").toFile().list()).hasSize(count);
      }
    }
  }

  @Test
  void merge_ofMillionFiles_fitsIntoSmallHeap(TestReporter reporter) throws Exception {
    int count = 1_000_000;
    Path lower = scratch.resolve("lower");
    long start = System.nanoTime();
    writeMany(lower, count);
    long written = System.nanoTime();
    Path upper = scratch.resolve("upper");
    LayerTree tree = new LayerTree("upper");
    tree.whiteout(Bytes.utf8("d0"));
    MetadataImageWriter.write(tree, List.of(new DeviceSlot("b", BLOCK)), upper);
    Path merged = scratch.resolve("merged");
    long merging = System.nanoTime();
    Commands.run(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx" + MERGE_HEAP,
        "-cp",
        System.getProperty("java.class.path"),
        MergeMain.class.getName(),
        lower.toString(),
        upper.toString(),
        merged.toString());
    long end = System.nanoTime();
    reporter.publishEntry(
        "%d files: written in %d ms, merged in %d ms in a JVM with -Xmx%s, image of %d MiB"
            .formatted(
                count,
                (written - start) / 1_000_000,
                (end - merging) / 1_000_000,
                MERGE_HEAP,
                Files.size(merged) / MEBIBYTE));
    System.gc();
    long before = usedHeap();
    try (MetadataImage image = MetadataImage.open(merged)) {
      assertThat(image.superblock().inodeCount()).isGreaterThan(count * 9L / 10);
      System.gc();
      assertThat(usedHeap() - before).isLessThan(MEBIBYTE);
    }
    Path device = scratch.resolve("sparse");
    try (RandomAccessFile file = new RandomAccessFile(device.toFile(), "rw")) {
      file.setLength(BLOCK);
    }
    Commands.run("fsck.erofs", "--device=" + device, "--device=" + device, merged.toString());
  }

  private static long usedHeap() {
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  private static void writeMany(Path image, int count) throws IOException {
    LayerTree tree = new LayerTree("lower");
    for (int i = 0; i < count; i++) {
      Bytes path = Bytes.utf8("d%d/e%d/file-%d".formatted(i % 20, i / 100 % 500, i));
      tree.file(path, PLAIN, FileContent.contiguous(1 + i % 4096, 0, i * BLOCK));
    }
    MetadataImageWriter.write(tree, List.of(new DeviceSlot("a", count * BLOCK)), image);
  }
}
