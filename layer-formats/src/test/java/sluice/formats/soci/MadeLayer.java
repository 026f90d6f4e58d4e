package sluice.formats.soci;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarFile;
import sluice.core.Bytes;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.LayerFormat;
import sluice.core.LayerIndex;
import sluice.core.Repository;
import sluice.formats.entry.EntryType;
import sluice.formats.entry.EntryType.Known;
import sluice.formats.testing.BlobSource;
import sluice.formats.testing.Images;
import sluice.formats.testing.PlainDevices;

/** A layer with a zTOC that a test makes, right or wrong. */
final class MadeLayer {

  private static final Repository REPOSITORY = new Repository.InRegistry("registry.test", "a");
  static final String TAR = "application/vnd.oci.image.layer.v1.tar";
  static final String GZIP = TAR + "+gzip";

  private final Map<Digest, byte[]> blobs = new HashMap<>();
  private final List<Digest> asked = new ArrayList<>();
  private final byte[] blob;
  private final String mediaType;
  private final Digest diffId;
  private Descriptor ztoc;
  private Optional<Descriptor> prefetch = Optional.empty();

  /** An uncompressed layer. */
  MadeLayer(byte[] tar) {
    this(tar, TAR, Digest.sha256(tar));
  }

  MadeLayer(byte[] blob, String mediaType, Digest diffId) {
    this.blob = blob;
    this.mediaType = mediaType;
    this.diffId = diffId;
    this.ztoc = new Descriptor("application/octet-stream", put(new byte[0]), 0);
    put(blob);
  }

  private Digest put(byte[] bytes) {
    Digest digest = Digest.sha256(bytes);
    blobs.put(digest, bytes);
    return digest;
  }

  /** Which blobs were asked for. */
  List<Digest> asked() {
    return asked;
  }

  Descriptor ztoc() {
    return ztoc;
  }

  MadeLayer ztoc(byte[] bytes) {
    ztoc = new Descriptor("application/octet-stream", put(bytes), bytes.length);
    return this;
  }

  MadeLayer prefetch(String document) {
    byte[] bytes = document.getBytes(StandardCharsets.UTF_8);
    prefetch = Optional.of(new Descriptor("application/json", put(bytes), bytes.length));
    return this;
  }

  /** The zTOC of an uncompressed layer, with digests of what its spans really are. */
  MadeLayer plain(long spanBytes, List<ZtocEntry> entries) throws IOException {
    List<Digest> digests = new ArrayList<>();
    for (long at = 0; at < blob.length; at += spanBytes) {
      digests.add(
          Digest.sha256(
              Arrays.copyOfRange(blob, (int) at, (int) Math.min(blob.length, at + spanBytes))));
    }
    return ztoc(
        entries,
        new ZtocWriter.Blob(
            StreamCompression.NONE,
            blob.length,
            blob.length,
            digests,
            GzipCheckpoints.plain(spanBytes, blob.length)));
  }

  /**
   * A gzip layer, perhaps of several members, that is one span.
   *
   * @param zinfo a file that is not there
   */
  static MadeLayer gzip(byte[] tar, byte[] gzip, List<ZtocEntry> entries, Path zinfo)
      throws IOException {
    try (FileChannel out =
        FileChannel.open(zinfo, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      GzipCheckpoints checkpoints = new GzipCheckpoints(out, 4 << 20);
      checkpoints.add(10, 0, 0, ByteBuffer.allocate(0));
      checkpoints.finish();
    }
    return new MadeLayer(gzip, GZIP, Digest.sha256(tar))
        .ztoc(
            entries,
            new ZtocWriter.Blob(
                StreamCompression.GZIP,
                gzip.length,
                tar.length,
                List.of(Digest.sha256(Arrays.copyOfRange(gzip, 10, gzip.length))),
                MemorySegment.ofArray(Files.readAllBytes(zinfo))));
  }

  MadeLayer ztoc(List<ZtocEntry> entries, ZtocWriter.Blob of) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZtocWriter writer = new ZtocWriter("test")) {
      for (ZtocEntry entry : entries) {
        writer.add(entry);
      }
      writer.finish(of, Channels.newChannel(out));
    }
    return ztoc(out.toByteArray());
  }

  /** Gives other bytes for the zTOC than its digest says. */
  void spoil(byte[] other) {
    blobs.put(ztoc.digest(), other);
  }

  /** Gives other bytes for the layer's blob than its digest says. */
  void spoilBlob(byte[] other) {
    blobs.put(Digest.sha256(blob), other);
  }

  byte[] ztocBytes() {
    return Objects.requireNonNull(blobs.get(ztoc.digest()));
  }

  LayerFormat.Layer layer() {
    Descriptor descriptor = new Descriptor(mediaType, Digest.sha256(blob), blob.length);
    return new LayerFormat.Layer(
        Images.of(
            REPOSITORY,
            new ImageDocument.Manifest(descriptor, List.of(descriptor), Map.of(), null, null)),
        0,
        diffId,
        Set.of(REPOSITORY));
  }

  BlobSource source() {
    return new BlobSource(digest -> {
      asked.add(digest);
      return Objects.requireNonNull(blobs.get(digest));
    });
  }

  LayerIndex index(Path image, PlainDevices devices) throws IOException, InterruptedException {
    return new SociIndexer(source(), layer(), ztoc, prefetch).index(image, devices);
  }

  /** The entries of a tar, as a library that is not ours reads them. */
  static List<ZtocEntry> entries(byte[] tar) throws IOException {
    List<ZtocEntry> entries = new ArrayList<>();
    try (TarFile file = new TarFile(tar)) {
      for (TarArchiveEntry entry : file.getEntries()) {
        TreeMap<String, Bytes> records = new TreeMap<>();
        Instant mtime = entry.getLastModifiedTime().toInstant();
        entry.getExtraPaxHeaders().forEach((key, value) -> records.put(key, Bytes.utf8(value)));
        entries.add(
            new ZtocEntry(
                type(entry),
                entry.getDataOffset(),
                entry.getSize(),
                Bytes.utf8(entry.getName()),
                Bytes.utf8(entry.getLinkName()),
                entry.getMode(),
                entry.getLongUserId(),
                entry.getLongGroupId(),
                Bytes.utf8(entry.getUserName()),
                Bytes.utf8(entry.getGroupName()),
                mtime.getEpochSecond(),
                mtime.getNano(),
                entry.getDevMajor(),
                entry.getDevMinor(),
                records));
      }
    }
    return entries;
  }

  private static EntryType type(TarArchiveEntry entry) {
    return switch (entry.getLinkFlag()) {
      case '1' -> Known.HARD_LINK;
      case '2' -> Known.SYMLINK;
      case '3' -> Known.CHARACTER;
      case '5' -> Known.DIRECTORY;
      default -> Known.FILE;
    };
  }
}
