package sluice.formats.tar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.formats.entry.EntryType.Known;
import sluice.formats.statement.EntryStatement;
import sluice.formats.statement.StatementWriter;

/** Statements and headers that are broken. */
class HeaderCheckTest {

  private static final HeaderCheck CHECK = new HeaderCheck();

  static byte[] tar() {
    return new TarBuilder()
        .pax('g', "comment=of all")
        .gnuLong('L', "d/" + "n".repeat(150))
        .file("short", "12345")
        .pax('x', "SCHILY.xattr.user.a=b", "mtime=-1.5")
        .header(new TarBuilder.Header("d/link", '2').link("there"))
        .build();
  }

  static byte[] statement(long headerBytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StatementWriter writer = new StatementWriter(out);
    writer.begin(4096, 0);
    writer.entry(headerBytes, entry(Known.FILE, "d/" + "n".repeat(150), "", 5, 1_600_000_000));
    TreeMap<Bytes, Bytes> xattrs = new TreeMap<>();
    xattrs.put(Bytes.utf8("user.a"), Bytes.utf8("b"));
    writer.entry(
        1536,
        new EntryStatement(
            Known.SYMLINK,
            Bytes.utf8("d/link"),
            Bytes.utf8("there"),
            0,
            0,
            0,
            0,
            -2,
            500_000_000,
            0,
            0,
            xattrs));
    writer.end(1024);
    return out.toByteArray();
  }

  private static EntryStatement entry(Known type, String name, String link, long size, long mtime) {
    return new EntryStatement(
        type,
        Bytes.utf8(name),
        Bytes.utf8(link),
        size,
        0644,
        0,
        0,
        mtime,
        0,
        0,
        0,
        new TreeMap<>());
  }

  private static void check(byte[] statement, byte[] tar) throws CorruptException {
    CHECK.check(ByteBuffer.wrap(statement), ByteBuffer.wrap(tar), "blob x");
  }

  @Test
  void check_whatIsStated_agrees() throws Exception {
    byte[] statement = statement(2560);
    byte[] tar = tar();
    assertThatCode(() -> check(statement, tar)).doesNotThrowAnyException();
  }

  @Test
  void check_headersOfAnotherLength_areRefused() throws Exception {
    for (long length : new long[] {0, 512, 1024, 2048, 3072, 3584}) {
      byte[] statement = statement(length);
      assertThatThrownBy(() -> check(statement, tar()))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("which the index has here")
          .hasMessageContaining("(resource=blob x, offset=4096)");
    }
  }

  @Test
  void check_sparseFile_isRefused() throws Exception {
    byte[] tar =
        new TarBuilder()
            .pax('x', "GNU.sparse.major=1", "GNU.sparse.minor=0")
            .file("f", "12345")
            .build();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StatementWriter writer = new StatementWriter(out);
    writer.begin(0, 0);
    writer.entry(1536, entry(Known.FILE, "f", "", 5, 1_600_000_000));
    writer.end(0);
    assertThatThrownBy(() -> check(out.toByteArray(), tar))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("it is a sparse file");
  }

  @Test
  void check_statementThatEndsAnywhere_isCorrupt() throws Exception {
    byte[] statement = statement(2560);
    for (int length = 0; length < statement.length; length++) {
      byte[] cut = Arrays.copyOf(statement, length);
      assertThatThrownBy(() -> check(cut, tar())).isInstanceOf(CorruptException.class);
    }
  }

  @Test
  void check_flippedBits_areRefused() throws Exception {
    byte[] statement = statement(2560);
    byte[] tar = tar();
    for (int bit = 0; bit < statement.length * 8; bit++) {
      byte[] flipped = statement.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      if (refuses(flipped, tar)) {
        continue;
      }
      // What says where the chunk lies in the tar stream is for messages, and fewer zeros may do.
      assertThat(bit / 8).isIn(1, 2, statement.length - 2, statement.length - 1);
    }
  }

  @Test
  void check_flippedBitsOfHeaders_areRefusedOrShown() throws Exception {
    byte[] statement = statement(2560);
    byte[] tar = tar();
    int refused = 0;
    for (int bit = 0; bit < tar.length * 8; bit += 3) {
      byte[] flipped = tar.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      refused += refuses(statement, flipped) ? 1 : 0;
    }
    assertThat(refused).isGreaterThan(tar.length);
  }

  @Test
  void check_truncatedChunk_isRefused() throws Exception {
    byte[] statement = statement(2560);
    byte[] tar = tar();
    for (int length = 0; length < tar.length; length += 100) {
      assertThat(refuses(statement, Arrays.copyOf(tar, length))).isTrue();
    }
  }

  private static boolean refuses(byte[] statement, byte[] tar) {
    try {
      check(statement, tar);
      return false;
    } catch (CorruptException e) {
      return true;
    }
  }
}
