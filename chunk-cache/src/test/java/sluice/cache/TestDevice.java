package sluice.cache;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.ContentHasher;
import sluice.core.DeviceIndex;
import sluice.core.Digest;
import sluice.core.Placement;

/** A device whose content is known. */
final class TestDevice {
  private final DeviceIndex index;
  private final byte[] blob;
  private final byte[] content;

  private TestDevice(DeviceIndex index, byte[] blob, byte[] content) {
    this.index = index;
    this.blob = blob;
    this.content = content;
  }

  /** What the cache is told. */
  DeviceIndex index() {
    return index;
  }

  /** What the registry has. */
  byte[] blob() {
    return blob;
  }

  /** What the device must hold; zeros where no chunk is. */
  byte[] content() {
    return content;
  }

  static Builder builder() {
    return new Builder();
  }

  /**
   * The same device, of whose blob the registry has only, or no less than, {@code length} bytes.
   */
  TestDevice cut(int length) {
    return new TestDevice(index, Arrays.copyOf(blob, length), content);
  }

  /** Puts chunks one after another into a blob and into a device. */
  static final class Builder {
    private final ByteArrayOutputStream blob = new ByteArrayOutputStream();
    private final ByteArrayOutputStream content = new ByteArrayOutputStream();
    private final ByteArrayOutputStream statements = new ByteArrayOutputStream();
    private final List<Chunk> chunks = new ArrayList<>();
    private Digest.Algorithm algorithm = Digest.Algorithm.SHA256;
    private boolean hashedFiles;

    Builder hashedWith(Digest.Algorithm wanted) {
      algorithm = wanted;
      return this;
    }

    /** Gives each file of a stream a digest of its own. */
    Builder hashedFiles() {
      hashedFiles = true;
      return this;
    }

    /** A plain chunk, directly after the one before it. */
    Builder plain(byte[] bytes) {
      return chunk(new ChunkEncoding.Plain(), bytes, bytes);
    }

    /** A plain chunk whose first byte, which is changed, is the last one of the chunk before it. */
    Builder sharing(byte[] bytes) {
      byte[] before = blob.toByteArray();
      bytes[0] = before[before.length - 1];
      chunks.add(
          new Chunk(
              new ByteRange(before.length - 1, bytes.length),
              new ChunkEncoding.Plain(),
              bytes.length,
              hash(bytes),
              List.of(new Placement(0, bytes.length, content.size(), null))));
      blob.write(bytes, 1, bytes.length - 1);
      content.writeBytes(bytes);
      return this;
    }

    Builder gzip(byte[] bytes) {
      return chunk(new ChunkEncoding.GzipMember(), compress(bytes), bytes);
    }

    private Builder chunk(ChunkEncoding encoding, byte[] encoded, byte[] bytes) {
      Placement placement = new Placement(0, bytes.length, content.size(), hash(bytes));
      add(encoded, encoding, bytes.length, null, List.of(placement));
      content.writeBytes(bytes);
      return this;
    }

    /** A chunk under one digest of its encoded bytes. */
    Builder span(byte[] bytes) {
      byte[] encoded = compress(bytes);
      Placement placement = new Placement(0, bytes.length, content.size(), null);
      add(encoded, new ChunkEncoding.GzipMember(), bytes.length, hash(encoded), List.of(placement));
      content.writeBytes(bytes);
      return this;
    }

    /** A chunk under one digest of its encoded bytes, of which its first bytes are stated. */
    Builder stated(byte[] bytes, byte... statement) {
      span(bytes);
      Chunk chunk = chunks.removeLast();
      ByteRange range = new ByteRange(statements.size(), statement.length);
      statements.writeBytes(statement);
      chunks.add(
          new Chunk(
              chunk.encoded(),
              chunk.encoding(),
              chunk.decodedLength(),
              chunk.encodedDigest(),
              chunk.placements(),
              range));
      return this;
    }

    /** One gzip member with several placements, with a hole after each. */
    Builder batch(int holeBytes, byte[]... pieces) {
      ByteArrayOutputStream decoded = new ByteArrayOutputStream();
      List<Placement> placements = new ArrayList<>();
      for (byte[] piece : pieces) {
        placements.add(new Placement(decoded.size(), piece.length, content.size(), hash(piece)));
        decoded.writeBytes(piece);
        content.writeBytes(piece);
        hole(holeBytes);
      }
      byte[] encoded = compress(decoded.toByteArray());
      add(encoded, new ChunkEncoding.GzipMember(), decoded.size(), null, placements);
      return this;
    }

    /** A chunk that is zeros and lies in no blob. */
    Builder zeros(int length) {
      byte[] zeros = new byte[length];
      Placement placement = new Placement(0, length, content.size(), hash(zeros));
      chunks.add(
          new Chunk(
              new ByteRange(blob.size(), 0),
              new ChunkEncoding.Plain(),
              length,
              null,
              List.of(placement)));
      content.writeBytes(zeros);
      return this;
    }

    /** Bytes of the device that no chunk covers. */
    Builder hole(int length) {
      content.writeBytes(new byte[length]);
      return this;
    }

    /** Bytes of the blob that belong to no chunk. */
    Builder gap(int length) {
      blob.writeBytes(new byte[length]);
      return this;
    }

    private void add(
        byte[] encoded,
        ChunkEncoding encoding,
        long decodedLength,
        @Nullable Digest encodedDigest,
        List<Placement> placements) {
      ByteRange range = new ByteRange(blob.size(), encoded.length);
      chunks.add(new Chunk(range, encoding, decodedLength, encodedDigest, placements));
      blob.writeBytes(encoded);
    }

    private Digest hash(byte[] bytes) {
      return Digest.of(algorithm, ContentHasher.hash(algorithm, ByteBuffer.wrap(bytes)));
    }

    TestDevice build() {
      byte[] bytes = blob.toByteArray();
      List<Chunk> all = List.copyOf(chunks);
      DeviceIndex index =
          new DeviceIndex(
              Digest.sha256(bytes),
              padded(content.size()),
              all,
              MemorySegment.NULL,
              MemorySegment.ofArray(statements.toByteArray()));
      return new TestDevice(
          index, bytes, Arrays.copyOf(content.toByteArray(), padded(content.size())));
    }

    /** One whole stream whose placements have {@code holeBytes} between them in the device. */
    TestDevice stream(ChunkEncoding.StreamCompression compression, int holeBytes, byte[]... files) {
      ByteArrayOutputStream tar = new ByteArrayOutputStream();
      List<Placement> placements = new ArrayList<>();
      for (byte[] file : files) {
        tar.writeBytes(new byte[512]);
        placements.add(
            new Placement(
                tar.size(), file.length, content.size(), hashedFiles ? hash(file) : null));
        tar.writeBytes(file);
        content.writeBytes(file);
        hole(holeBytes);
      }
      tar.writeBytes(new byte[1024]);
      byte[] encoded =
          compression == ChunkEncoding.StreamCompression.NONE
              ? tar.toByteArray()
              : compress(tar.toByteArray());
      add(
          encoded,
          new ChunkEncoding.WholeStream(compression),
          tar.size(),
          Digest.sha256(encoded),
          placements);
      return build();
    }
  }

  private static int padded(int length) {
    return (length + DeviceIndex.BLOCK_BYTES - 1)
        / DeviceIndex.BLOCK_BYTES
        * DeviceIndex.BLOCK_BYTES;
  }

  static byte[] random(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] compress(byte[] bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }
}
