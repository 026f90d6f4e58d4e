package sluice.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Bytes;
import sluice.core.Digest;
import sluice.testing.TreeEntry.DeviceNumber;

/** Builds a directory with the shell's tools, as root, and lists it. */
class TreeListingIT {

  private static final String BUILD =
      """
      set -e
      printf content > file; chown 4000000000:7 file; chmod 4750 file
      touch -d '@1600000000.123456789' file
      setfattr -n user.note -v 0x000aff file
      setfattr -n trusted.secret -v yes file
      setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 file
      mkdir sub; ln file sub/hard; chmod 1777 sub
      printf '' > "$(printf 'raw\\377\\nname')"
      ln -s "$(printf 'to/\\376')" link
      mknod char c 240 300000; mknod block b 259 1048575; mkfifo fifo
      touch -d '@-1.25' before
      """;

  @TempDir Path directory;

  @Test
  void of_showsWhatTheToolsMade() throws Exception {
    run(BUILD);
    Tree tree = TreeListing.of(directory);

    assertThat(tree.entries().keySet().stream().map(Bytes::toArray))
        .containsExactly(
            latin(""),
            latin("before"),
            latin("block"),
            latin("char"),
            latin("fifo"),
            latin("file"),
            latin("link"),
            latin("raw\u00ff\nname"),
            latin("sub"),
            latin("sub/hard"));
    TreeEntry file = tree.entry("file");
    assertThat(file.type()).isEqualTo(FileType.FILE);
    assertThat(file.mode()).isEqualTo(04750);
    assertThat(file.uid()).isEqualTo(4_000_000_000L);
    assertThat(file.gid()).isEqualTo(7);
    assertThat(file.size()).isEqualTo(7);
    assertThat(file.mtime()).isEqualTo(new Timestamp(1_600_000_000, 123_456_789));
    assertThat(file.content()).isEqualTo(Digest.sha256(latin("content")));
    assertThat(file.nlink()).isEqualTo(2);
    assertThat(file.xattrs())
        .containsEntry(Bytes.utf8("user.note"), Bytes.of((byte) 0, (byte) 10, (byte) 255))
        .containsEntry(Bytes.utf8("trusted.secret"), Bytes.utf8("yes"))
        .containsKey(Bytes.utf8("security.capability"))
        .hasSize(3);
    assertThat(tree.entry("sub/hard").same()).isEqualTo(Bytes.utf8("file"));
    assertThat(tree.entry("sub").mode()).isEqualTo(01777);
    assertThat(tree.entry("link").target()).isEqualTo(Bytes.of(latin("to/\u00fe")));
    assertThat(tree.entry("char").device()).isEqualTo(new DeviceNumber(240, 300_000));
    assertThat(tree.entry("block").device()).isEqualTo(new DeviceNumber(259, 1_048_575));
    assertThat(tree.entry("fifo").type()).isEqualTo(FileType.FIFO);
    assertThat(tree.entry("before").mtime()).isEqualTo(new Timestamp(-2, 750_000_000));
  }

  @Test
  void differences_tellEachFieldAndEachPath() throws Exception {
    run(BUILD);
    TreeListing before = TreeListing.of(directory);
    run("rm fifo; : > more; chmod 0 file; setfattr -x trusted.secret file; touch -d @3.5 before");
    ListingAssert assertion = ListingAssert.assertThatTree(TreeListing.of(directory));

    List<String> differences = assertion.ignoringTimesOf("").differences(before);
    assertThat(differences).hasSize(5);
    assertThat(differences.get(0))
        .isEqualTo("before: mtime 3.500000000 s, expected -1.250000000 s");
    assertThat(differences.get(1)).isEqualTo("fifo: missing, expected FIFO");
    assertThat(differences.get(2))
        .startsWith("file: mode 0000, expected 4750, xattrs [")
        .contains("trusted.secret=yes");
    assertThat(differences.get(3)).isEqualTo("more: not expected, found FILE");
    assertThat(differences.get(4)).startsWith("sub/hard: mode");
  }

  @Test
  void isTree_losses_areNotHeldAgainstIt() throws Exception {
    run(BUILD);
    TreeListing full = TreeListing.of(directory);
    SortedMap<Bytes, TreeEntry> poor = new TreeMap<>(full.entries());
    poor.replaceAll((path, entry) -> impoverished(entry));

    ListingAssert.assertThatTree(() -> poor)
        .losing(
            ListingAssert.Loss.NANOSECONDS,
            ListingAssert.Loss.TIMES_BEFORE_1970,
            ListingAssert.Loss.TRUSTED_XATTRS,
            ListingAssert.Loss.LINK_COUNTS)
        .isTree(full);
    assertThat(ListingAssert.assertThatTree(() -> poor).differences(full)).isNotEmpty();
  }

  private static TreeEntry impoverished(TreeEntry entry) {
    Timestamp mtime = entry.mtime();
    SortedMap<Bytes, Bytes> xattrs = new TreeMap<>(entry.xattrs());
    xattrs.remove(Bytes.utf8("trusted.secret"));
    return new TreeEntry(
        entry.type(),
        entry.mode(),
        entry.uid(),
        entry.gid(),
        entry.size(),
        mtime == null ? null : new Timestamp(Math.max(mtime.seconds(), 0), 0),
        entry.target(),
        entry.device(),
        9,
        entry.same(),
        xattrs,
        entry.content());
  }

  private static byte[] latin(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private void run(String script) throws IOException, InterruptedException {
    Process shell =
        new ProcessBuilder("bash", "-c", script)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .start();
    String output = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(shell.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(shell.exitValue()).as(output).isZero();
  }
}
