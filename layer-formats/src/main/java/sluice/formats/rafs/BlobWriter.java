package sluice.formats.rafs;

import static sluice.formats.rafs.Layout.LE_LONG;

import com.github.luben.zstd.Zstd;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import sluice.core.Bytes;
import sluice.core.ContentHasher;
import sluice.core.Digest;
import sluice.formats.rafs.BlobTrailer.TocEntry;

/**
 * Writes one blob: chunks, each once, and behind them the tables that other readers of RAFS want.
 * For one thread. Keeps about 200 bytes for each chunk.
 */
final class BlobWriter implements Closeable {

  /** Indexes of files name a chunk with 24 bits. */
  private static final int MAX_CHUNKS = 1 << 24;

  /** {@code BlobChunkInfoV1Ondisk}. */
  private static final int CONTEXT_ENTRY_BYTES = 16;

  private static final int FEATURES =
      BlobEntry.FEATURE_ALIGNED
          | BlobEntry.FEATURE_INLINED_CHUNK_DIGEST
          | BlobEntry.FEATURE_HAS_TAR_HEADER
          | BlobEntry.FEATURE_HAS_TOC
          | BlobEntry.FEATURE_CAP_TAR_TOC;

  private final RafsConverter.Options options;
  private final OutputStream out;
  private final MessageDigest hash = Digest.sha256();
  private final Map<Bytes, Integer> known = new HashMap<>();
  private final List<ChunkEntry> chunks = new ArrayList<>();
  private long written;
  private long uncompressed;

  BlobWriter(Path file, RafsConverter.Options options) throws IOException {
    this.options = options;
    this.out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
  }

  List<ChunkEntry> chunks() {
    return chunks;
  }

  /**
   * Adds a chunk unless there is an equal one.
   *
   * @param fileOffset where it lies in the file that has it first
   * @return its number
   */
  int add(byte[] content, int length, long fileOffset) throws IOException {
    byte[] digest = ContentHasher.hash(options.digester(), ByteBuffer.wrap(content, 0, length));
    Bytes key = Bytes.of(digest);
    Integer number = known.get(key);
    if (number != null) {
      return number;
    }
    if (chunks.size() == MAX_CHUNKS) {
      throw new IOException(
          "RAFS allows %d chunks in a blob; convert with larger chunks".formatted(MAX_CHUNKS));
    }
    byte[] compressed = new byte[(int) Zstd.compressBound(length)];
    int encoded =
        (int)
            Zstd.compressByteArray(
                compressed, 0, compressed.length, content, 0, length, options.zstdLevel());
    boolean smaller = encoded < length;
    int index = chunks.size();
    chunks.add(
        new ChunkEntry(
            key,
            0,
            smaller ? ChunkEntry.FLAG_COMPRESSED : 0,
            smaller ? encoded : length,
            length,
            written,
            uncompressed,
            fileOffset,
            index,
            0));
    write(smaller ? compressed : content, smaller ? encoded : length);
    uncompressed += Layout.roundUp(length, Layout.BLOCK_BYTES);
    known.put(key, index);
    return index;
  }

  /** What a finished blob is: its entry in the blob table, its length, its {@code blob.meta}. */
  record Blob(BlobEntry entry, long lengthBytes, Bytes contexts) {}

  /** Writes the tables; there must be a chunk. */
  Blob finish() throws IOException {
    List<TocEntry> toc = new ArrayList<>();
    Digest dataDigest = Digest.of(Digest.Algorithm.SHA256, clone(hash).digest());
    toc.add(new TocEntry(BlobTrailer.DATA, Compressor.NONE, dataDigest, 0, written, uncompressed));
    endPart(BlobTrailer.DATA, written);

    byte[] entries = contextEntries();
    byte[] squeezed = Zstd.compress(entries, options.zstdLevel());
    boolean smaller = squeezed.length < entries.length;
    byte[] stored = smaller ? squeezed : entries;
    BlobEntry.Contexts place =
        new BlobEntry.Contexts(
            smaller ? Compressor.ZSTD : Compressor.NONE,
            written,
            stored.length,
            entries.length,
            null);
    byte[] header = contextHeader(place);
    part(toc, BlobTrailer.CONTEXTS, place.compressor(), entries, stored);
    part(toc, BlobTrailer.CONTEXTS_HEADER, Compressor.NONE, header, header);
    endPart(BlobTrailer.CONTEXTS, stored.length + header.length);

    byte[] digests = digests();
    part(toc, BlobTrailer.DIGESTS, Compressor.NONE, digests, digests);
    endPart(BlobTrailer.DIGESTS, digests.length);

    long compressedBytes = written;
    byte[] table = new byte[toc.size() * TocEntry.BYTES];
    for (int i = 0; i < toc.size(); i++) {
      toc.get(i).write(MemorySegment.ofArray(table), (long) i * TocEntry.BYTES);
    }
    write(table, table.length);
    endPart(BlobTrailer.CONTENTS, table.length);
    out.flush();
    BlobEntry entry =
        new BlobEntry(
            Digest.of(Digest.Algorithm.SHA256, hash.digest()),
            0,
            options.chunkBytes(),
            chunks.size(),
            Compressor.ZSTD,
            options.digester(),
            FEATURES,
            compressedBytes,
            uncompressed,
            place);
    return new Blob(entry, written, contextsFile(entries, header));
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  private void part(
      List<TocEntry> toc, String name, Compressor compressor, byte[] content, byte[] stored)
      throws IOException {
    toc.add(
        new TocEntry(
            name, compressor, Digest.sha256(content), written, stored.length, content.length));
    write(stored, stored.length);
  }

  private void endPart(String name, long lengthBytes) throws IOException {
    byte[] header = BlobTrailer.tarHeader(name, lengthBytes);
    write(header, header.length);
  }

  private void write(byte[] bytes, int length) throws IOException {
    out.write(bytes, 0, length);
    hash.update(bytes, 0, length);
    written += length;
  }

  /**
   * Entries of version 1, 16 bytes each: sizes less one, their low 20 bits in bits 44 to 63; their
   * high 4 bits in bits 8 to 11 of the first word and 40 to 43 of the second; the offsets in
   * between.
   */
  private byte[] contextEntries() {
    byte[] entries = new byte[chunks.size() * CONTEXT_ENTRY_BYTES];
    MemorySegment segment = MemorySegment.ofArray(entries);
    for (int i = 0; i < chunks.size(); i++) {
      ChunkEntry chunk = chunks.get(i);
      long size = chunk.uncompressedBytes() - 1L;
      long encoded = chunk.compressedBytes() - 1L;
      long at = (long) i * CONTEXT_ENTRY_BYTES;
      segment.set(
          LE_LONG,
          at,
          ((size & 0xf_ffff) << 44) | ((size >>> 20 & 0xf) << 8) | chunk.uncompressedOffset());
      segment.set(
          LE_LONG,
          at + 8,
          ((encoded & 0xf_ffff) << 44) | ((encoded >>> 20 & 0xf) << 40) | chunk.compressedOffset());
    }
    return entries;
  }

  private byte[] contextHeader(BlobEntry.Contexts place) {
    byte[] header = new byte[ContextHeader.BYTES];
    new ContextHeader(
            FEATURES,
            place.compressor(),
            chunks.size(),
            place.offset(),
            place.encodedBytes(),
            place.decodedBytes(),
            0,
            0,
            0)
        .write(MemorySegment.ofArray(header), 0);
    return header;
  }

  private static Bytes contextsFile(byte[] entries, byte[] header) {
    int padded = (int) Layout.roundUp(entries.length, Layout.BLOCK_BYTES);
    byte[] file = Arrays.copyOf(entries, padded + header.length);
    System.arraycopy(header, 0, file, padded, header.length);
    return Bytes.of(file);
  }

  private byte[] digests() {
    byte[] digests = new byte[chunks.size() * ChunkEntry.DIGEST_BYTES];
    for (int i = 0; i < chunks.size(); i++) {
      byte[] digest = chunks.get(i).digest().toArray();
      System.arraycopy(digest, 0, digests, i * ChunkEntry.DIGEST_BYTES, digest.length);
    }
    return digests;
  }

  private static MessageDigest clone(MessageDigest hash) {
    try {
      return (MessageDigest) hash.clone();
    } catch (CloneNotSupportedException e) {
      throw new AssertionError("the JDK's SHA-256 can be cloned", e);
    }
  }
}
