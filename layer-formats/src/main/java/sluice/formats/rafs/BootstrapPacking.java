package sluice.formats.rafs;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;

/**
 * Packs a bootstrap into the layer by which a registry holds it, as nydus does: a tar+gzip with
 * {@code image/image.boot} and, beside it, the blob's chunk contexts. {@link BootstrapLayer} reads
 * it. Neither times nor owners are in it, so that equal bootstraps give equal layers.
 */
final class BootstrapPacking {

  private static final int GZIP_BUFFER_BYTES = 1 << 16;

  private BootstrapPacking() {}

  /**
   * The layer.
   *
   * @param diffId digest of its tar
   */
  record Packed(Descriptor layer, Digest diffId) {}

  /**
   * Writes the layer to {@code layerFile}.
   *
   * @param blob what the bootstrap refers to; empty if no file of the image has content
   */
  static Packed pack(Path bootstrap, Optional<BlobWriter.Blob> blob, Path layerFile)
      throws IOException {
    Counted encoded = new Counted(Files.newOutputStream(layerFile));
    DigestOutputStream encodedHash = new DigestOutputStream(encoded, Digest.sha256());
    DigestOutputStream tarHash =
        new DigestOutputStream(
            new GZIPOutputStream(encodedHash, GZIP_BUFFER_BYTES), Digest.sha256());
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(tarHash)) {
      write(tar, bootstrap, blob);
    }
    Descriptor layer =
        new Descriptor(
            "application/vnd.oci.image.layer.v1.tar+gzip",
            Digest.of(Digest.Algorithm.SHA256, encodedHash.getMessageDigest().digest()),
            encoded.count,
            Map.of(RafsFormat.BOOTSTRAP_ANNOTATION, "true", RafsFormat.FS_VERSION_ANNOTATION, "6"),
            List.of(),
            null,
            null,
            null);
    return new Packed(
        layer, Digest.of(Digest.Algorithm.SHA256, tarHash.getMessageDigest().digest()));
  }

  private static void write(
      TarArchiveOutputStream tar, Path bootstrap, Optional<BlobWriter.Blob> blob)
      throws IOException {
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_STAR);
    TarArchiveEntry directory = entry("image/", TarConstants.LF_DIR, 0);
    directory.setMode(TarArchiveEntry.DEFAULT_DIR_MODE);
    tar.putArchiveEntry(directory);
    tar.closeArchiveEntry();
    tar.putArchiveEntry(entry("image/image.boot", TarConstants.LF_NORMAL, Files.size(bootstrap)));
    Files.copy(bootstrap, tar);
    tar.closeArchiveEntry();
    if (blob.isPresent()) {
      Bytes contexts = blob.get().contexts();
      String name = "image/%s.blob.meta".formatted(blob.get().entry().blob().hex());
      tar.putArchiveEntry(entry(name, TarConstants.LF_NORMAL, contexts.length()));
      tar.write(contexts.toArray());
      tar.closeArchiveEntry();
    }
  }

  private static TarArchiveEntry entry(String name, byte type, long size) {
    TarArchiveEntry entry = new TarArchiveEntry(name, type);
    entry.setSize(size);
    entry.setMode(0444);
    entry.setIds(0, 0);
    entry.setUserName("");
    entry.setGroupName("");
    entry.setModTime(0);
    return entry;
  }

  /** Counts what passes. */
  private static final class Counted extends FilterOutputStream {
    private long count;

    Counted(OutputStream out) {
      super(out);
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
      count++;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
      count += length;
    }
  }
}
