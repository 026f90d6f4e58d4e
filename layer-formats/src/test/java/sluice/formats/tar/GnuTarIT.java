package sluice.formats.tar;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.formats.testing.ImageTree;
import sluice.testing.ListingAssert;
import sluice.testing.TreeListing;

/** What GNU tar writes in each of its formats, against the directory that it read. */
class GnuTarIT {

  /** What every format can say. */
  private static final String SIMPLE =
      """
      set -e
      mkdir -p dir/sub; chmod 1777 dir/sub; chown 7:8 dir/sub
      printf hello > dir/file; chmod 4755 dir/file
      head -c 4096 /dev/urandom > dir/block; head -c 4097 /dev/urandom > dir/block1
      head -c 700001 /dev/urandom > dir/large; : > dir/empty
      head -c 300000 /dev/zero > dir/zeros
      ln dir/file dir/sub/hard; ln -s ../to dir/link; ln dir/link dir/hardlink
      printf x > "$(printf 'dir/raw\\377')"
      """;

  private static final String SPECIAL =
      """
      set -e
      mknod char c 240 4000; mknod block b 8 1; mkfifo fifo
      mkdir -p $(printf 'long%.0s' $(seq 20))/$(printf 'path%.0s' $(seq 15))
      printf x > $(printf 'long%.0s' $(seq 20))/$(printf 'path%.0s' $(seq 15))/f
      """;

  private static final String LARGE =
      """
      set -e
      printf x > $(printf 'n%.0s' $(seq 250)); ln -s $(printf 't%.0s' $(seq 3000)) longlink
      ln $(printf 'n%.0s' $(seq 250)) longhard
      printf x > owner; chown 4000000000:3000000 owner
      printf x > old; touch -d @-300000000 old; printf x > far; touch -d @9000000000 far
      """;

  private static final String EXTENDED =
      """
      set -e
      printf x > nanos; touch -d @1600000000.123456789 nanos; touch -d @-1.25 dir
      setfattr -n user.binary -v 0x000a3d0dff nanos; setfattr -n user.empty nanos
      setfattr -n trusted.t -v yes nanos; setfattr -n user.dir -v on dir
      setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 nanos
      """;

  private static final String SPARSE =
      """
      set -e
      truncate -s 5000000 all-hole; truncate -s 3000000 ends; printf abc >> ends
      for i in 1 2 3 4 5 6 7 8 9; do
        printf data$i | dd of=many bs=1 seek=${i}00000 conv=notrunc status=none
      done
      head -c 200000 /dev/urandom | dd of=middle bs=4096 seek=300 conv=notrunc status=none
      truncate -s 4000001 middle
      """;

  @TempDir Path directory;
  private Path source = Path.of("");

  @BeforeEach
  void makeSource() throws IOException {
    source = Files.createDirectory(directory.resolve("src"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"v7", "oldgnu", "gnu", "ustar", "posix"})
  void simpleTree_inEveryFormat(String format) throws Exception {
    run(SIMPLE);
    assertSame(format, "");
  }

  @ParameterizedTest
  @ValueSource(strings = {"oldgnu", "gnu", "ustar", "posix"})
  void specialFilesAndLongPaths(String format) throws Exception {
    run(SPECIAL);
    assertSame(format, "");
  }

  @ParameterizedTest
  @ValueSource(strings = {"oldgnu", "gnu", "posix"})
  void longNamesAndLargeNumbers(String format) throws Exception {
    run(LARGE);
    assertSame(format, "");
  }

  @ParameterizedTest
  @ValueSource(strings = {"posix"})
  void nanosecondsAndXattrs(String format) throws Exception {
    run(SIMPLE + SPECIAL + LARGE + EXTENDED);
    assertSame(format, "--xattrs --xattrs-include='*'");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "oldgnu",
        "gnu",
        "posix --sparse-version=0.0",
        "posix --sparse-version=0.1",
        "posix --sparse-version=1.0"
      })
  void sparseFiles(String format) throws Exception {
    run(SPARSE);
    assertSame(format, "--sparse");
  }

  private void assertSame(String format, String options) throws Exception {
    run("tar --format=%s %s -cf ../layer.tar .".formatted(format, options));
    Layers layers = new Layers(directory);
    Path merged = layers.merge(Files.readAllBytes(directory.resolve("layer.tar")));
    ListingAssert shown = assertThatTree(ImageTree.of(merged, layers.devices()));
    if (!format.startsWith("posix")) {
      shown.losing(ListingAssert.Loss.NANOSECONDS);
    }
    shown.isTree(TreeListing.of(source));
  }

  private void run(String script) throws IOException, InterruptedException {
    Process shell =
        new ProcessBuilder("bash", "-c", script)
            .directory(source.toFile())
            .redirectErrorStream(true)
            .start();
    String output = new String(shell.getInputStream().readAllBytes(), UTF_8);
    assertThat(shell.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(shell.exitValue()).as(output).isZero();
  }
}
