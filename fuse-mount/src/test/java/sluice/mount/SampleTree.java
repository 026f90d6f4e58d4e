package sluice.mount;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import sluice.linux.Linux;

/** A directory with something of everything that a file system must show. */
final class SampleTree {

  static final String ALL_NAME = "all";
  static final String MANY_NAME = "many";
  static final int MANY = 100_000;
  static final int RANDOM_BYTES = 8 << 20;

  /** Where {@code data/sparse} has its only bytes but the first: in its last, odd block. */
  static final int SPARSE_BYTES = (40 << 20) + 4099;

  private SampleTree() {}

  /** Makes two directories in {@code tree}: one of everything, and one with many entries. */
  static void create(Path tree) throws IOException, InterruptedException {
    createAll(Files.createDirectories(tree.resolve(ALL_NAME)));
    Path many = Files.createDirectory(tree.resolve(MANY_NAME));
    // On disk this takes a minute.
    Linux.mount("many", many, "tmpfs", 0, null);
    for (int i = 0; i < MANY; i++) {
      Files.createFile(many.resolve(manyName(i)));
    }
  }

  /** Makes one of everything in {@code tree}. */
  static void createAll(Path tree) throws IOException, InterruptedException {
    Files.createDirectories(tree.resolve("data/deep/er"));
    data(tree.resolve("data"));
    links(tree);
    attributes(tree);
    special(tree);
  }

  /** Unmounts what {@link #create} mounted. */
  static void release(Path tree) throws IOException {
    Linux.unmount(tree.resolve(MANY_NAME), Linux.MNT_DETACH);
  }

  static String manyName(int i) {
    return "entry-%06d".formatted(i);
  }

  private static void data(Path data) throws IOException {
    byte[] bytes = new byte[RANDOM_BYTES];
    new Random(42).nextBytes(bytes);
    Files.write(data.resolve("random"), bytes);
    for (int size : new int[] {0, 1, 2, 4095, 4096, 4097, (1 << 20) - 1, (1 << 20) + 1}) {
      Files.write(data.resolve("size-" + size), Arrays.copyOfRange(bytes, 7, 7 + size));
    }
    try (RandomAccessFile sparse = new RandomAccessFile(data.resolve("sparse").toFile(), "rw")) {
      sparse.setLength(SPARSE_BYTES);
      sparse.write(1);
      sparse.seek(SPARSE_BYTES - 2);
      sparse.write(new byte[] {2, 3});
    }
    Files.writeString(data.resolve("deep/er/file"), "deep\n");
    Files.copy(Path.of("/bin/true"), data.resolve("program"));
  }

  private static void links(Path tree) throws IOException {
    Path links = Files.createDirectory(tree.resolve("links"));
    Files.writeString(links.resolve("one"), "linked");
    Files.createLink(links.resolve("two"), links.resolve("one"));
    Files.createLink(tree.resolve("data/three"), links.resolve("one"));
    Files.createSymbolicLink(links.resolve("soft"), Path.of("../data/random"));
    Files.createSymbolicLink(links.resolve("long"), Path.of("x/".repeat(1000) + "end"));
    Files.createSymbolicLink(links.resolve("dangling"), Path.of("nowhere"));
  }

  private static void attributes(Path tree) throws IOException {
    Path file = Files.writeString(tree.resolve("attributes"), "a");
    UserDefinedFileAttributeView view =
        Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
    view.write("short", ByteBuffer.wrap("value".getBytes(StandardCharsets.UTF_8)));
    view.write("empty", ByteBuffer.allocate(0));
    view.write("long", ByteBuffer.wrap(new byte[2000]));
    Files.setAttribute(file, "unix:uid", 70_000, LinkOption.NOFOLLOW_LINKS);
    Files.setAttribute(file, "unix:gid", 80_001, LinkOption.NOFOLLOW_LINKS);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx---r-x"));
    Files.setLastModifiedTime(
        file, FileTime.from(Instant.ofEpochSecond(1_234_567_890, 123_456_789)));
    // mkfs.erofs 1.5 fails with a name of 255 bytes.
    Files.createFile(tree.resolve("n".repeat(254)));
    Files.createFile(tree.resolve("grüße-\u4e16\u754c"));
  }

  private static void special(Path tree) throws IOException, InterruptedException {
    Path special = Files.createDirectory(tree.resolve("special"));
    run("mkfifo", special.resolve("fifo").toString());
    run("mknod", special.resolve("char").toString(), "c", "10", "70000");
    run("mknod", special.resolve("block").toString(), "b", "259", "3");
  }

  static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s: %s", String.join(" ", command), said).isZero();
  }
}
