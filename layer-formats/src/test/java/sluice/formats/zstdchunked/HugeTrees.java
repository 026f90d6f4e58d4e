package sluice.formats.zstdchunked;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.github.luben.zstd.ZstdOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.IntFunction;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.IndexTrust;
import sluice.core.Lane;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.formats.tar.TarFormat;
import sluice.formats.testing.BlobSource;
import sluice.formats.testing.PlainDevices;
import sluice.formats.toc.TocLayers;

/**
 * A process with the daemon's heap that indexes, while a layer that streams has nearly all that it
 * can get, two at a time that have TOCs and ask for all the heap, then one with an ordinary TOC of
 * a million files. Another one that streams, of sparse files with a million runs each, waits
 * meanwhile. Says how each ended.
 */
final class HugeTrees {

  /** What the rest of the daemon holds meanwhile. */
  private static final int DAEMON_MEBIBYTES = 192;

  /** What the layer that streams is said to have, which is more than is read of it. */
  private static final long TAR_BYTES = 1L << 30;

  private static final int MILLION = 1_000_000;
  private static final int MEMBER_BYTES = 2;
  private static final int FILES_PER_DIRECTORY = 1000;

  private HugeTrees() {}

  /** Indexes below a directory, its only argument. */
  public static void main(String[] arguments) throws Exception {
    Path directory = Path.of(arguments[0]);
    byte[][] daemon = new byte[DAEMON_MEBIBYTES][1 << 20];
    Tar tar = new Tar();
    Thread stream = stream("stream", directory, tar);
    tar.almostFull.await();
    Thread sparse = stream("sparse", directory, new SparseTar());
    Thread xattrs = toc("xattrs", directory, HugeTrees::fifoWithXattrs);
    Thread paths = toc("paths", directory, HugeTrees::deepFifo);
    xattrs.join();
    paths.join();
    toc("million", directory, HugeTrees::file).join();
    tar.goOn.countDown();
    stream.join();
    sparse.join();
    System.out.println("the daemon holds " + daemon.length);
  }

  private static <T extends InputStream & RangeSource> Thread stream(
      String name, Path directory, T tar) throws IOException {
    return started(
        name,
        directory,
        new TarFormat(tar),
        TocLayers.layer(
            new Descriptor(
                "application/vnd.oci.image.layer.v1.tar", Digest.sha256(new byte[0]), TAR_BYTES)),
        tar);
  }

  private static Thread toc(String name, Path directory, IntFunction<String> entry)
      throws IOException {
    int payloadBytes = MILLION * MEMBER_BYTES + 8; // The head of the frame that holds the TOC.
    ByteArrayOutputStream blob = new ByteArrayOutputStream();
    blob.write(new byte[payloadBytes]);
    long json;
    try (ZstdOutputStream zstd = new ZstdOutputStream(blob)) {
      json = write(zstd, entry);
    }
    byte[] bytes = blob.toByteArray();
    int encodedBytes = bytes.length - payloadBytes;
    byte[] encoded = new byte[encodedBytes];
    System.arraycopy(bytes, payloadBytes, encoded, 0, encodedBytes);
    String prefix = "io.github.containers.zstd-chunked.manifest-";
    LayerFormat.Layer layer =
        TocLayers.layer(
            "application/vnd.oci.image.layer.v1.tar+zstd",
            bytes,
            Map.of(
                prefix + "checksum",
                Digest.sha256(encoded).toString(),
                prefix + "position",
                "%d:%d:%d:1".formatted(payloadBytes, encodedBytes, json)));
    RangeSource source = new BlobSource(digest -> bytes);
    return started(name, directory, new ZstdChunkedFormat(source), layer, source);
  }

  private static long write(ZstdOutputStream to, IntFunction<String> entry) throws IOException {
    byte[] head =
        "{\"version\":1,\"entries\":[{\"name\":\"/\",\"type\":\"dir\"}".getBytes(US_ASCII);
    to.write(head);
    long length = head.length;
    for (int i = 0; i < MILLION; i++) {
      byte[] bytes = ("," + entry.apply(i)).getBytes(US_ASCII);
      to.write(bytes);
      length += bytes.length;
    }
    to.write("]}".getBytes(US_ASCII));
    return length + 2;
  }

  private static Thread started(
      String name, Path directory, LayerFormat format, LayerFormat.Layer layer, RangeSource source)
      throws IOException {
    Path own = Files.createDirectory(directory.resolve(name));
    return Thread.ofPlatform()
        .start(() -> {
          try {
            ((Recognition.Tree) format.recognise(layer, IndexTrust.PINNED))
                .indexer()
                .index(own.resolve("tree"), new PlainDevices(own, source));
            System.out.println(name + ": indexed");
          } catch (IOException | InterruptedException e) {
            System.out.println(name + ": " + e.getMessage());
          }
        });
  }

  private static String fifoWithXattrs(int number) {
    StringBuilder xattrs = new StringBuilder();
    for (char name = 'a'; name < 'i'; name++) {
      xattrs
          .append(xattrs.isEmpty() ? "" : ",")
          .append("\"trusted.")
          .append(name)
          .append("\":\"\"");
    }
    return "{\"name\":\"%x\",\"type\":\"fifo\",\"xattrs\":{%s}}".formatted(number, xattrs);
  }

  /** Each of its path's 200 directories is one that nobody named before. */
  private static String deepFifo(int number) {
    return "{\"name\":\"%x%s\",\"type\":\"fifo\"}".formatted(number, "/a".repeat(200));
  }

  private static String file(int number) {
    return """
    {"name":"usr/lib/modules/package-%04d/file-%07d.js","type":"reg","size":4000,"mode":420,\
    "modtime":"2024-05-01T12:00:00Z","offset":%d,"endOffset":%d,"digest":"sha256:%064x"}\
    """
        .formatted(
            number / FILES_PER_DIRECTORY,
            number,
            (long) number * MEMBER_BYTES,
            (long) (number + 1) * MEMBER_BYTES,
            number);
  }

  /** A tar stream that is made as it is read. */
  private abstract static class MadeTar extends InputStream implements RangeSource {

    private byte[] part = new byte[0];
    private int position;

    @Override
    public void read(
        Digest digest, Set<Repository> holders, long offset, ByteBuffer into, Lane lane) {
      throw new AssertionError("it streams");
    }

    @Override
    public InputStream open(Digest digest, Set<Repository> holders, Lane lane) {
      return this;
    }

    @Override
    public int read() {
      throw new AssertionError("read in arrays");
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      if (position == part.length) {
        part = next();
        position = 0;
      }
      int count = Math.min(length, part.length - position);
      System.arraycopy(part, position, into, offset, count);
      position += count;
      return count;
    }

    /** The next part of the stream, which has no end. */
    abstract byte[] next() throws IOException;

    static byte[] header(String name, char type, int sizeBytes) {
      byte[] header = new byte[512];
      put(header, 0, name);
      put(header, 100, "0000755");
      put(header, 124, "%011o".formatted(sizeBytes));
      put(header, 148, "        ");
      header[156] = (byte) type;
      int sum = 0;
      for (byte each : header) {
        sum += each;
      }
      put(header, 148, "%06o\0".formatted(sum));
      return header;
    }

    static void put(byte[] into, int at, String text) {
      byte[] bytes = text.getBytes(US_ASCII);
      System.arraycopy(bytes, 0, into, at, bytes.length);
    }
  }

  /** Directories; halts before it has too many of them. */
  private static final class Tar extends MadeTar {

    /** 140 to 190 MiB. */
    private static final int ALMOST = 400_000;

    final CountDownLatch almostFull = new CountDownLatch(1);
    final CountDownLatch goOn = new CountDownLatch(1);

    private int blocks;

    @Override
    byte[] next() throws IOException {
      if (blocks == ALMOST) {
        almostFull.countDown();
        try {
          goOn.await();
        } catch (InterruptedException e) {
          throw new IOException(e);
        }
      }
      return header("%x".formatted(blocks++), '5', 0);
    }
  }

  /** Sparse files in the form that GNU tar calls 1.0, every second byte of which is a hole. */
  private static final class SparseTar extends MadeTar {

    private static final int RUNS = 1 << 20;
    private static final int MAP_LINE_BYTES = "0000000\n1\n".length();

    /** The last block is padded with what the first number leaves of it. */
    private final byte[] map = new byte[512 + RUNS * MAP_LINE_BYTES];

    private final byte[] data = new byte[RUNS];
    private int parts;

    SparseTar() {
      String count = RUNS + "\n";
      put(map, 0, count);
      for (int run = 0; run < RUNS; run++) {
        put(map, count.length() + run * MAP_LINE_BYTES, "%07d\n1\n".formatted(2 * run));
      }
      Arrays.fill(data, (byte) 'a');
    }

    @Override
    byte[] next() {
      int file = parts / 5;
      return switch (parts++ % 5) {
        case 0 -> header("x", 'x', 512);
        case 1 -> records();
        case 2 -> header("%x".formatted(file), '0', map.length + data.length);
        case 3 -> map;
        default -> data;
      };
    }

    private static byte[] records() {
      byte[] records = new byte[512];
      String sparse =
          "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n31 GNU.sparse.realsize=%d\n"
              .formatted(2 * RUNS);
      put(records, 0, sparse);
      String comment = "%d comment=".formatted(records.length - sparse.length());
      put(
          records,
          sparse.length(),
          comment + "c".repeat(records.length - sparse.length() - comment.length() - 1) + '\n');
      return records;
    }
  }
}
