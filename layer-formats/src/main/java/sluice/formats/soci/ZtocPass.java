package sluice.formats.soci;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;

/**
 * The second pass over a layer that was recorded, behind its stream: cuts the blob into spans,
 * hashes them and writes the zTOC. For one thread, once.
 */
final class ZtocPass {

  private final ZtocRecording recording;
  private final long spanBytes;
  private final Path scratch;
  private final BooleanSupplier stopped;
  private final String resource;

  /**
   * @param scratch a directory for files without names
   * @param stopped whether to give up
   */
  ZtocPass(ZtocRecording recording, long spanBytes, Path scratch, BooleanSupplier stopped) {
    this.recording = recording;
    this.spanBytes = spanBytes;
    this.scratch = scratch;
    this.stopped = stopped;
    this.resource = "layer " + recording.layer().descriptor().digest();
  }

  /**
   * Writes the zTOC from the position of {@code out} on.
   *
   * @throws UnseekableException if there can be none
   */
  Descriptor write(FileChannel out) throws IOException {
    try (Arena arena = Arena.ofShared();
        Spool checkpoints = Spool.in(scratch)) {
      MemorySegment blob = recording.spool().map(arena);
      ZtocWriter.Blob found =
          switch (Objects.requireNonNull(recording.compression())) {
            case GZIP -> gzip(blob, checkpoints, arena);
            case ZSTD -> hashed(StreamCompression.ZSTD, blob, new FramePass(blob, spanBytes).run());
            case NONE ->
                hashed(
                    StreamCompression.NONE,
                    blob,
                    GzipCheckpoints.plain(spanBytes, blob.byteSize()));
          };
      return recording.writer().finish(found, out);
    }
  }

  private ZtocWriter.Blob gzip(MemorySegment blob, Spool checkpoints, Arena arena)
      throws IOException {
    List<Digest> digests =
        GzipPass.run(
            recording.spool().file(),
            new GzipCheckpoints(checkpoints.file(), spanBytes),
            spanBytes,
            stopped,
            resource);
    MemorySegment table = checkpoints.map(arena);
    // For what it throws: no index that nobody could read.
    var _ = spans(StreamCompression.GZIP, blob, table);
    return new ZtocWriter.Blob(
        StreamCompression.GZIP, blob.byteSize(), recording.tarBytes(), digests, table);
  }

  private ZtocWriter.Blob hashed(
      StreamCompression compression, MemorySegment blob, MemorySegment table) throws IOException {
    return new ZtocWriter.Blob(
        compression,
        blob.byteSize(),
        recording.tarBytes(),
        digests(spans(compression, blob, table), blob),
        table);
  }

  private Spans spans(StreamCompression compression, MemorySegment blob, MemorySegment table)
      throws UnseekableException {
    try {
      return Ztoc.spans(compression, table, blob.byteSize(), recording.tarBytes(), resource);
    } catch (CorruptException e) {
      UnseekableException none = new UnseekableException(String.valueOf(e.getMessage()));
      none.initCause(e);
      throw none;
    }
  }

  private List<Digest> digests(Spans spans, MemorySegment blob) throws IOException {
    List<Digest> digests = new ArrayList<>();
    MessageDigest sha256 = Digest.sha256();
    for (int span = 0; span < spans.count(); span++) {
      if (stopped.getAsBoolean()) {
        throw new IOException(resource + ": its index is given up");
      }
      ByteRange encoded = spans.encoded(span);
      sha256.update(blob.asSlice(encoded.offset(), encoded.length()).asByteBuffer());
      digests.add(Digest.of(Digest.Algorithm.SHA256, sha256.digest()));
    }
    return digests;
  }
}
