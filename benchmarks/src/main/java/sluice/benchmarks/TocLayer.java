package sluice.benchmarks;

import java.io.BufferedOutputStream;
import java.io.BufferedWriter;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.zip.GZIPOutputStream;
import sluice.core.Digest;

/**
 * An eStargz layer of very many files without their data: a hole, the TOC as stargz writes it,
 * indented, and the footer.
 */
final class TocLayer {

  private static final int FILES_PER_DIRECTORY = 1000;
  private static final int FILE_BYTES = 4000;

  /** What each file is compressed to, header and all. */
  private static final int MEMBER_BYTES = 1500;

  private static final int TAR_BLOCK_BYTES = 512;

  /** Any: digests are only to differ, and not to be compressible. */
  private static final long SEED = 51;

  private TocLayer() {}

  /**
   * What was written.
   *
   * @param toc digest of the JSON
   * @param tocBytes length of the JSON
   * @param encodedBytes length of the TOC in the blob
   * @param blobBytes length of the blob
   */
  record Written(Digest toc, long tocBytes, long encodedBytes, long blobBytes) {}

  /** Writes it to a file that does not exist yet. */
  static Written write(Path blob, int files) throws IOException {
    Counting counting = new Counting(OutputStream.nullOutputStream());
    MessageDigest hash = Digest.sha256();
    writeToc(new DigestOutputStream(counting, hash), files);
    long tocOffset = 100 + (long) files * MEMBER_BYTES;
    try (FileChannel channel =
            FileChannel.open(blob, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        OutputStream out =
            new BufferedOutputStream(Channels.newOutputStream(channel.position(tocOffset)))) {
      GZIPOutputStream gzip = new GZIPOutputStream(out);
      gzip.write(tarHeader(counting.count));
      writeToc(gzip, files);
      gzip.write(new byte[(int) (-counting.count & (TAR_BLOCK_BYTES - 1)) + 2 * TAR_BLOCK_BYTES]);
      gzip.finish();
      out.flush();
      long end = channel.position();
      out.write(footer(tocOffset));
      out.flush();
      return new Written(
          Digest.of(Digest.Algorithm.SHA256, hash.digest()),
          counting.count,
          end - tocOffset,
          channel.position());
    }
  }

  private static byte[] tarHeader(long size) {
    byte[] header = new byte[TAR_BLOCK_BYTES];
    put(header, 0, "stargz.index.json");
    put(header, 124, "%011o".formatted(size));
    header[156] = '0';
    return header;
  }

  private static void put(byte[] into, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, into, at, bytes.length);
  }

  /** See {@code docs/estargz.md} of stargz-snapshotter. */
  private static byte[] footer(long tocOffset) {
    String extra =
        HexFormat.of()
            .formatHex("%016xSTARGZ".formatted(tocOffset).getBytes(StandardCharsets.US_ASCII));
    return HexFormat.of()
        .parseHex("1f8b08040000000000ff1a0053471600" + extra + "010000ffff0000000000000000");
  }

  private static void writeToc(OutputStream out, int files) throws IOException {
    Writer json = new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.US_ASCII));
    SplittableRandom random = new SplittableRandom(SEED);
    json.write("{\n\t\"version\": 1,\n\t\"entries\": [");
    for (int i = 0; i < files; i++) {
      String directory = "usr/lib/modules/package-%04d/".formatted(i / FILES_PER_DIRECTORY);
      if (i % FILES_PER_DIRECTORY == 0) {
        json.write(i == 0 ? "\n" : ",\n");
        json.write(
            """
            \t\t{
            \t\t\t"name": "%s",
            \t\t\t"type": "dir",
            \t\t\t"modtime": "2024-05-01T12:00:00Z",
            \t\t\t"mode": 493
            \t\t}\
            """
                .formatted(directory));
      }
      String digest =
          "%016x%016x%016x%016x"
              .formatted(random.nextLong(), random.nextLong(), random.nextLong(), (long) i);
      json.write(
          """
          ,
          \t\t{
          \t\t\t"name": "%sfile-%07d.js",
          \t\t\t"type": "reg",
          \t\t\t"size": %d,
          \t\t\t"modtime": "2024-05-01T12:00:00Z",
          \t\t\t"mode": 420,
          \t\t\t"offset": %d,
          \t\t\t"digest": "sha256:%s",
          \t\t\t"chunkDigest": "sha256:%s"
          \t\t}\
          """
              .formatted(directory, i, FILE_BYTES, 100 + (long) i * MEMBER_BYTES, digest, digest));
    }
    json.write("\n\t]\n}");
    json.flush();
  }

  /** Counts what is written. */
  private static final class Counting extends FilterOutputStream {
    private long count;

    Counting(OutputStream out) {
      super(out);
    }

    @Override
    public void write(int value) {
      count++;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      count += length;
    }
  }
}
