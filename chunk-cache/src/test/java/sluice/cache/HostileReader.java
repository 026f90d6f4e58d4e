package sluice.cache;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.ContentHasher;
import sluice.core.DeviceIndex;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.core.Placement;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.core.StatementCheck;

/**
 * A process with little memory that reads a device of chunks that are a few KiB in the registry and
 * {@link #CHUNK_BYTES} each on disk. Prints how many chunks were present after one read of 4 KiB,
 * and in how many requests; then reads all.
 */
final class HostileReader {
  static final int CHUNK_BYTES = 8 << 20;
  static final int CHUNKS = 40;
  static final int BLOCK_BYTES = 4096;

  private HostileReader() {}

  /** A registry with one blob, that counts requests. */
  private static final class OneBlob implements RangeSource {
    private final byte[] blob;
    private int requests;

    OneBlob(byte[] blob) {
      this.blob = blob;
    }

    @Override
    public synchronized void read(
        Digest digest, Set<Repository> holders, long offset, ByteBuffer into, Lane lane) {
      requests++;
      into.put(blob, (int) offset, into.remaining());
    }

    @Override
    public InputStream open(Digest digest, Set<Repository> holders, Lane lane) throws IOException {
      throw new IOException("no chunk is a stream");
    }

    synchronized int requests() {
      return requests;
    }
  }

  /** Arguments: directory, whether all chunks are equal. */
  public static void main(String[] args) throws Exception {
    boolean equal = Boolean.parseBoolean(args[1]);
    ByteArrayOutputStream blob = new ByteArrayOutputStream();
    List<Chunk> chunks = new ArrayList<>();
    for (int i = 0; i < CHUNKS; i++) {
      chunks.add(chunk(blob, i, equal ? 0 : i));
    }
    byte[] bytes = blob.toByteArray();
    DeviceIndex index = new DeviceIndex(Digest.sha256(bytes), (long) CHUNKS * CHUNK_BYTES, chunks);
    OneBlob source = new OneBlob(bytes);
    try (ChunkCache cache =
        ChunkCache.open(
            Path.of(args[0]),
            source,
            new JdkDecoder(),
            StatementCheck.NONE,
            CacheSettings.defaults(),
            CacheListener.NONE,
            Failpoints.NONE)) {
      LazyDevice device = cache.add(index, TestCache.HOLDERS);
      device.ensure(0, BLOCK_BYTES, Lane.DEMAND);
      System.out.println("read " + present(device) + " " + source.requests());
      device.ensure(0, device.lengthBytes(), Lane.DEMAND);
      System.out.println("all " + present(device));
    }
  }

  private static Chunk chunk(ByteArrayOutputStream blob, int number, int content)
      throws IOException {
    byte[] decoded = new byte[CHUNK_BYTES];
    decoded[0] = (byte) content;
    long offset = blob.size();
    try (GZIPOutputStream gzip = new GZIPOutputStream(blob)) {
      gzip.write(decoded);
    }
    Digest digest =
        Digest.of(
            Digest.Algorithm.SHA256,
            ContentHasher.hash(Digest.Algorithm.SHA256, ByteBuffer.wrap(decoded)));
    return new Chunk(
        new ByteRange(offset, blob.size() - offset),
        new ChunkEncoding.GzipMember(),
        CHUNK_BYTES,
        null,
        List.of(new Placement(0, CHUNK_BYTES, (long) number * CHUNK_BYTES, digest)));
  }

  private static int present(LazyDevice device) {
    int present = 0;
    for (int i = 0; i < CHUNKS; i++) {
      present += device.present((long) i * CHUNK_BYTES, 1) ? 1 : 0;
    }
    return present;
  }
}
