package sluice.formats.rafs;

import static sluice.formats.rafs.Layout.LE_INT;
import static sluice.formats.rafs.Layout.LE_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import sluice.core.CorruptException;
import sluice.core.Digest;

/**
 * An entry of the blob table: {@code RafsV6Blob}.
 *
 * <pre>
 *   0  u8[64] blob_id, hexadecimal
 *  64  u32 blob_index, u32 chunk_size, u32 chunk_count
 *  76  u32 compression_algo, u32 digest_algo, u32 features
 *  88  u64 compressed_size, u64 uncompressed_size
 * 104  u32 blob_toc_size, u32 ci_compressor
 * 112  u64 ci_offset, u64 ci_compressed_size, u64 ci_uncompressed_size
 * 136  u8[32] blob_toc_digest, u8[32] blob_meta_digest (zran only), u64 blob_meta_size, ...
 * 216  u32 cipher_algo, reserved
 * </pre>
 *
 * @param blob digest of the blob, which is its id; of a zran blob that of the gzip layer
 * @param compressedBytes length of a zran blob's layer; of other blobs nearly their length
 * @param deviceBytes length of the uncompressed space, a multiple of 4096
 * @param contexts where the compression context table lies
 */
record BlobEntry(
    Digest blob,
    int index,
    int chunkBytes,
    int chunkCount,
    Compressor compressor,
    Digest.Algorithm digester,
    int features,
    long compressedBytes,
    long deviceBytes,
    Contexts contexts) {

  /**
   * Where the compression context table lies, a header of 4096 bytes behind it.
   *
   * @param separate the blob that holds it; null if that is the blob itself
   */
  record Contexts(
      Compressor compressor,
      long offset,
      long encodedBytes,
      long decodedBytes,
      @Nullable Separate separate) {}

  /**
   * A blob of metadata alone.
   *
   * @param toc SHA-256 of its table of contents; null where the bootstrap does not say it
   */
  record Separate(Digest blob, @Nullable Digest toc) {}

  static final int BYTES = 256;

  static final int FEATURE_ALIGNED = 1;
  static final int FEATURE_INLINED_FS_META = 2;
  static final int FEATURE_CHUNK_INFO_V2 = 4;
  static final int FEATURE_ZRAN = 8;
  static final int FEATURE_SEPARATE = 0x10;
  static final int FEATURE_INLINED_CHUNK_DIGEST = 0x20;
  static final int FEATURE_TARFS = 0x40;
  static final int FEATURE_BATCH = 0x80;
  static final int FEATURE_ENCRYPTED = 0x100;
  static final int FEATURE_EXTERNAL = 0x800;
  static final int FEATURE_HAS_TAR_HEADER = 0x1000_0000;
  static final int FEATURE_HAS_TOC = 0x2000_0000;
  static final int FEATURE_CAP_TAR_TOC = 0x4000_0000;

  /** Features whose meaning is known; the high half never changes how a blob is read. */
  private static final int KNOWN_FEATURES = 0x0fff;

  /** The digest algorithm numbers of nydus. */
  private static final int DIGEST_BLAKE3 = 0;

  private static final int DIGEST_SHA256 = 1;

  /** A zran blob's length: compressed offsets of nydus have 40 bits. */
  private static final long MAX_COMPRESSED_BYTES = 1L << 40;

  /** What stands where a digest is not said. */
  private static final Digest NONE = new Digest(Digest.Algorithm.SHA256, "0".repeat(64));

  private static final Pattern ID = Pattern.compile("[0-9a-f]{64}");

  boolean has(int feature) {
    return (features & feature) != 0;
  }

  /**
   * Reads an entry whose bytes are all in {@code image}.
   *
   * @throws CorruptException if it breaks the format
   * @throws RefusedException if it is a blob of a kind that we do not serve
   */
  static BlobEntry read(MemorySegment image, long offset, int expectedIndex, String resource)
      throws CorruptException, RefusedException {
    String id = new String(Layout.bytes(image, offset, 64), StandardCharsets.ISO_8859_1);
    int index = image.get(LE_INT, offset + 64);
    if (!ID.matcher(id).matches() || index != expectedIndex) {
      throw corrupt(
          "id \"%s\", index %d; expected 64 hexadecimal digits and %d"
              .formatted(id.strip(), index, expectedIndex),
          resource,
          offset);
    }
    int features = image.get(LE_INT, offset + 84);
    refuse(id, features, image.get(LE_INT, offset + 216), resource);
    if ((features & FEATURE_ALIGNED) == 0 || (features & 0xffff & ~KNOWN_FEATURES) != 0) {
      throw corrupt("features 0x%x".formatted(features), resource, offset + 84);
    }
    long uncompressed = image.get(LE_LONG, offset + 96);
    if (uncompressed < 0 || uncompressed > Layout.MAX_BLOB_BYTES) {
      throw corrupt(
          "uncompressed size " + Long.toUnsignedString(uncompressed), resource, offset + 96);
    }
    Separate separate = null;
    long compressed = image.get(LE_LONG, offset + 88);
    if ((features & FEATURE_ZRAN) != 0) {
      separate = separate(image, offset, features, resource);
      if (compressed <= 0 || compressed > MAX_COMPRESSED_BYTES) {
        throw corrupt(
            "compressed size " + Long.toUnsignedString(compressed), resource, offset + 88);
      }
    }
    int digester = image.get(LE_INT, offset + 80);
    if (digester != DIGEST_BLAKE3 && digester != DIGEST_SHA256) {
      throw corrupt("digest algorithm " + digester, resource, offset + 80);
    }
    return new BlobEntry(
        new Digest(Digest.Algorithm.SHA256, id),
        index,
        image.get(LE_INT, offset + 68),
        image.get(LE_INT, offset + 72),
        Compressor.of(image.get(LE_INT, offset + 76), "blob table", resource, offset + 76),
        digester == DIGEST_BLAKE3 ? Digest.Algorithm.BLAKE3 : Digest.Algorithm.SHA256,
        features,
        compressed,
        Layout.roundUp(uncompressed, Layout.BLOCK_BYTES),
        new Contexts(
            Compressor.of(image.get(LE_INT, offset + 108), "blob table", resource, offset + 108),
            image.get(LE_LONG, offset + 112),
            image.get(LE_LONG, offset + 120),
            image.get(LE_LONG, offset + 128),
            separate));
  }

  /** What a zran blob says of the blob with its contexts. */
  private static Separate separate(MemorySegment image, long offset, int features, String resource)
      throws CorruptException {
    Digest toc = digest(image, offset + 136);
    Digest blob = digest(image, offset + 168);
    boolean batches = (features & FEATURE_BATCH) != 0;
    if (blob == null || batches || (features & FEATURE_CHUNK_INFO_V2) == 0) {
      throw corrupt(
          "zran blob with features 0x%x and metadata in %s".formatted(features, blob),
          resource,
          offset + 84);
    }
    return new Separate(blob, toc);
  }

  private static @Nullable Digest digest(MemorySegment image, long offset) {
    Digest digest = Digest.of(Digest.Algorithm.SHA256, Layout.bytes(image, offset, 32));
    return digest.equals(NONE) ? null : digest;
  }

  private static void refuse(String id, int features, int cipher, String resource)
      throws RefusedException {
    String reason = "";
    if ((features & FEATURE_ENCRYPTED) != 0 || cipher != 0) {
      reason = "is encrypted, and Sluice has no way to get its key";
    } else if ((features & FEATURE_TARFS) != 0) {
      reason = "is a tar of the tarfs mode, whose chunks have no digests";
    } else if ((features & FEATURE_EXTERNAL) != 0) {
      reason = "lies outside of the registry (external)";
    }
    if (!reason.isEmpty()) {
      throw new RefusedException("%s: blob %s %s".formatted(resource, id, reason));
    }
  }

  /** Writes the entry, which is of a blob that holds its own contexts, over zeros. */
  void write(MemorySegment image, long offset) {
    byte[] id = blob.hex().getBytes(StandardCharsets.US_ASCII);
    MemorySegment.copy(id, 0, image, ValueLayout.JAVA_BYTE, offset, id.length);
    image.set(LE_INT, offset + 64, index);
    image.set(LE_INT, offset + 68, chunkBytes);
    image.set(LE_INT, offset + 72, chunkCount);
    image.set(LE_INT, offset + 76, compressor.number());
    image.set(
        LE_INT, offset + 80, digester == Digest.Algorithm.BLAKE3 ? DIGEST_BLAKE3 : DIGEST_SHA256);
    image.set(LE_INT, offset + 84, features);
    image.set(LE_LONG, offset + 88, compressedBytes);
    image.set(LE_LONG, offset + 96, deviceBytes);
    image.set(LE_INT, offset + 108, contexts.compressor().number());
    image.set(LE_LONG, offset + 112, contexts.offset());
    image.set(LE_LONG, offset + 120, contexts.encodedBytes());
    image.set(LE_LONG, offset + 128, contexts.decodedBytes());
  }

  private static CorruptException corrupt(String message, String resource, long offset) {
    return new CorruptException("blob table: " + message, resource, offset);
  }
}
