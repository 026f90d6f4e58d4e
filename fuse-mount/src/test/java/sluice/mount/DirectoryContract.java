package sluice.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import sluice.core.Digest;
import sluice.fuse.Posix;
import sluice.linux.Errno;
import sluice.linux.Linux;
import sluice.testing.TreeListing;

/**
 * What a mounted directory must do, whatever mounted it. A plain directory, mounted read-only, does
 * it too: so the tests ask for nothing but what Linux does.
 */
abstract class DirectoryContract {

  private static final int RANDOM_READS = 400;
  private static final int THREADS = 8;

  /** {@code O_DIRECT}, asm/fcntl.h. */
  static final int O_DIRECT = System.getProperty("os.arch").equals("aarch64") ? 0x10000 : 0x4000;

  private final Path tree;
  private final Path mounted;
  private final Path many;

  /**
   * Tests a mount.
   *
   * @param tree what it must show: a {@link SampleTree}
   */
  DirectoryContract(Path tree, Path mounted) {
    this.tree = tree.resolve(SampleTree.ALL_NAME);
    this.mounted = mounted.resolve(SampleTree.ALL_NAME);
    this.many = mounted.resolve(SampleTree.MANY_NAME);
  }

  @Test
  void list_everything_isTheTree() throws Exception {
    assertThatTree(TreeListing.of(mounted)).isTree(TreeListing.of(tree));
  }

  @Test
  void lookup_namesThatAreNotThere_saysSoEachTime() {
    for (int i = 0; i < 3; i++) {
      assertThat(mounted.resolve("nowhere")).doesNotExist();
      assertThat(mounted.resolve("data/nowhere")).doesNotExist();
      assertThatThrownBy(() -> Files.readAllBytes(mounted.resolve("data/nowhere/else")))
          .isInstanceOf(NoSuchFileException.class);
    }
    assertThatThrownBy(() -> Files.readAllBytes(mounted.resolve("n".repeat(256))))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("too long");
  }

  @Test
  void readdir_ofManyEntries_givesEachOnce() {
    try (Posix.Directory directory = new Posix.Directory(many)) {
      List<String> names = directory.read(Integer.MAX_VALUE);

      TreeSet<String> expected = new TreeSet<>(List.of(".", ".."));
      IntStream.range(0, SampleTree.MANY).mapToObj(SampleTree::manyName).forEach(expected::add);
      assertThat(names).hasSize(expected.size());
      assertThat(new TreeSet<>(names)).isEqualTo(expected);
    }
  }

  @Test
  void seekdir_toWhereTelldirWas_goesOnThere() {
    List<Long> positions = new ArrayList<>();
    List<List<String>> after = new ArrayList<>();
    try (Posix.Directory directory = new Posix.Directory(many)) {
      for (int i = 0; i < 50; i++) {
        directory.read(1777);
        positions.add(directory.tell());
        after.add(directory.read(5));
      }
      for (int i = positions.size() - 1; i >= 0; i -= 7) {
        directory.seek(positions.get(i));
        assertThat(directory.read(5)).as("after %d", i).isEqualTo(after.get(i));
      }
      directory.seek(0);
      assertThat(directory.read(Integer.MAX_VALUE)).hasSize(SampleTree.MANY + 2);
    }
  }

  @Test
  void xattr_ofAnySize_isProbedAndRead() {
    Path file = mounted.resolve("attributes");
    assertThat(Posix.getxattr(file, "user.short", 0)).isEqualTo(5);
    assertThat(Posix.getxattr(file, "user.short", 5)).isEqualTo(5);
    assertThat(Posix.getxattr(file, "user.short", 4)).isEqualTo(-Errno.ERANGE);
    assertThat(Posix.getxattr(file, "user.empty", 0)).isZero();
    assertThat(Posix.getxattr(file, "user.long", 4096)).isEqualTo(2000);
    assertThat(Posix.getxattr(file, "user.none", 0)).isEqualTo(-Errno.ENODATA);
    int list = "user.short".length() + "user.empty".length() + "user.long".length() + 3;
    assertThat(Posix.listxattr(file, 0)).isEqualTo(list);
    assertThat(Posix.listxattr(file, list)).isEqualTo(list);
    assertThat(Posix.listxattr(file, list - 1)).isEqualTo(-Errno.ERANGE);
    assertThat(Posix.listxattr(mounted.resolve("data/random"), 0)).isZero();
  }

  @Test
  void readlink_ofAnyLength_isTheTarget() throws Exception {
    for (String link : List.of("soft", "long", "dangling")) {
      assertThat(Files.readSymbolicLink(mounted.resolve("links").resolve(link)))
          .isEqualTo(Files.readSymbolicLink(tree.resolve("links").resolve(link)));
    }
    assertThat(mounted.resolve("links/soft")).hasSameBinaryContentAs(tree.resolve("data/random"));
  }

  @Test
  void hardLinks_haveOneInode() throws Exception {
    Object ino = Files.getAttribute(mounted.resolve("links/one"), "unix:ino");
    assertThat(Files.getAttribute(mounted.resolve("links/two"), "unix:ino")).isEqualTo(ino);
    assertThat(Files.getAttribute(mounted.resolve("data/three"), "unix:ino")).isEqualTo(ino);
    assertThat(Files.getAttribute(mounted.resolve("links/one"), "unix:nlink")).isEqualTo(3);
    assertThat((Long) ino).isBetween(1L, (1L << 32) - 1);
  }

  @Test
  void statfs_givesBlocks() throws Exception {
    assertThat(Files.getFileStore(mounted).getBlockSize()).isEqualTo(4096);
    assertThat(Files.getFileStore(mounted).getTotalSpace())
        .isGreaterThanOrEqualTo(SampleTree.RANDOM_BYTES);
  }

  @Test
  void read_atOddOffsets_givesTheBytes() throws Exception {
    byte[] expected = Files.readAllBytes(tree.resolve("data/random"));
    try (RandomAccessFile file = new RandomAccessFile(path("data/random"), "r")) {
      for (int offset : new int[] {0, 1, 4095, 4097, 1 << 20, (1 << 20) + 13, 8_388_600}) {
        for (int length : new int[] {1, 7, 4096, 4097, 300_001}) {
          byte[] bytes = new byte[length];
          file.seek(offset);
          int count = file.read(bytes);
          assertThat(count).isEqualTo(Math.min(length, expected.length - offset));
          assertThat(Arrays.mismatch(bytes, 0, count, expected, offset, offset + count))
              .isEqualTo(-1);
        }
      }
      file.seek(expected.length);
      assertThat(file.read()).isEqualTo(-1);
    }
  }

  @Test
  void read_manyThreadsAtRandom_givesTheBytes() throws Exception {
    byte[] expected = Files.readAllBytes(tree.resolve("data/random"));
    try (ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        FileChannel file = FileChannel.open(mounted.resolve("data/random"))) {
      List<Future<?>> all = new ArrayList<>();
      for (int t = 0; t < THREADS; t++) {
        Random random = new Random(t);
        all.add(threads.submit(() -> readAtRandom(file, expected, random)));
      }
      for (Future<?> one : all) {
        one.get();
      }
    }
  }

  private static Void readAtRandom(FileChannel file, byte[] expected, Random random)
      throws IOException {
    for (int i = 0; i < RANDOM_READS; i++) {
      int offset = random.nextInt(expected.length);
      ByteBuffer bytes = ByteBuffer.allocate(random.nextInt(1, 70_000));
      int count = file.read(bytes, offset);
      assertThat(bytes.flip()).isEqualTo(ByteBuffer.wrap(expected, offset, count));
    }
    return null;
  }

  @Test
  void read_withoutThePageCache_givesTheBytes() throws Exception {
    byte[] expected = Files.readAllBytes(tree.resolve("data/random"));
    int fd = Linux.open(mounted.resolve("data/random"), Linux.O_RDONLY | O_DIRECT);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(1 << 20, 4096);
      for (long offset : new long[] {0, 4096, 3 << 20, 8_384_512}) {
        long count = Linux.pread(fd, buffer, buffer.byteSize(), offset);
        assertThat(count).isEqualTo(Math.min(buffer.byteSize(), expected.length - offset));
        byte[] bytes = buffer.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
        assertThat(bytes)
            .isEqualTo(Arrays.copyOfRange(expected, (int) offset, (int) (offset + count)));
      }
    } finally {
      Linux.close(fd);
    }
  }

  @Test
  void mmap_inAnotherProcess_givesTheBytes() throws Exception {
    for (String name : List.of("data/random", "data/size-4097", "data/sparse")) {
      String said =
          output(
              Path.of(System.getProperty("java.home"), "bin", "java").toString(),
              "-Xshare:auto",
              "-cp",
              System.getProperty("java.class.path"),
              "sluice.mount.ReadMapped",
              path(name));
      assertThat(said).isEqualTo(Digest.sha256(Files.readAllBytes(tree.resolve(name))).hex());
    }
  }

  @Test
  void exec_aProgram_runs() throws Exception {
    SampleTree.run("sh", "-c", "exec " + path("data/program"));
  }

  @Test
  void write_isRefused() {
    refused(() -> Files.writeString(mounted.resolve("new"), "x"));
    refused(() -> Files.writeString(mounted.resolve("attributes"), "x"));
    refused(() -> Files.createDirectory(mounted.resolve("new")));
    refused(() -> Files.delete(mounted.resolve("attributes")));
    refused(() -> Files.createSymbolicLink(mounted.resolve("new"), Path.of("x")));
    refused(() -> Files.createLink(mounted.resolve("new"), mounted.resolve("attributes")));
    refused(() -> Files.move(mounted.resolve("attributes"), mounted.resolve("new")));
    refused(() -> Files.setAttribute(mounted.resolve("attributes"), "unix:mode", 0644));
  }

  private interface Write {
    void run() throws IOException;
  }

  private static void refused(Write write) {
    assertThatThrownBy(write::run)
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("Read-only file system");
  }

  private String path(String name) {
    return mounted.resolve(name).toString();
  }

  private static String output(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    return said;
  }
}
