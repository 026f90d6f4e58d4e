package sluice.formats.inflate;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding;
import sluice.formats.decode.EncodingDecoder;

/** What a pass over a layer has found, in memory. */
final class Recorded implements CheckpointPass.Sink {

  /** A checkpoint and the digest of its span. */
  record Checkpoint(long blobOffset, long tarOffset, int bits, ByteBuffer window) {}

  private final List<Checkpoint> checkpoints = new ArrayList<>();
  private final List<ByteBuffer> digests = new ArrayList<>();
  private CheckpointPass.Totals totals = new CheckpointPass.Totals(0, 0, 0);

  private Recorded() {}

  /** Passes over a layer that is given in pieces. */
  static Recorded of(byte[] blob, long spanBytes, int pieceBytes) throws IOException {
    Recorded recorded = new Recorded();
    try (CheckpointPass pass = new CheckpointPass(spanBytes, recorded, "layer x")) {
      for (int at = 0; at < blob.length; at += pieceBytes) {
        ByteBuffer piece = ByteBuffer.wrap(blob, at, Math.min(pieceBytes, blob.length - at));
        pass.feed(piece);
        assertThat(piece.hasRemaining()).isFalse();
      }
      recorded.totals = pass.finish();
    }
    assertThat(recorded.digests).hasSameSizeAs(recorded.checkpoints);
    assertThat(recorded.totals.checkpoints()).isEqualTo(recorded.checkpoints.size());
    assertThat(recorded.totals.blobBytes()).isEqualTo(blob.length);
    return recorded;
  }

  @Override
  public void checkpoint(long blobOffset, long tarOffset, int bits, ByteBuffer window) {
    assertThat(window.remaining()).isEqualTo(CheckpointPass.WINDOW_BYTES);
    ByteBuffer copy = ByteBuffer.allocate(window.remaining()).put(window.duplicate()).flip();
    checkpoints.add(new Checkpoint(blobOffset, tarOffset, bits, copy));
  }

  @Override
  public void spanEnd(byte[] sha256) {
    digests.add(ByteBuffer.wrap(sha256));
    assertThat(digests).hasSameSizeAs(checkpoints);
  }

  List<Checkpoint> checkpoints() {
    return checkpoints;
  }

  List<ByteBuffer> digests() {
    return digests;
  }

  CheckpointPass.Totals totals() {
    return totals;
  }

  /** Decodes each span alone, by each inflater of this host, and looks at its digest. */
  void assertSpans(byte[] blob, byte[] tar) throws IOException {
    assertThat(totals.tarBytes()).isEqualTo(tar.length);
    for (int i = 0; i < checkpoints.size(); i++) {
      Checkpoint at = checkpoints.get(i);
      boolean last = i + 1 == checkpoints.size();
      int start = (int) at.blobOffset() - (at.bits() > 0 ? 1 : 0);
      int end = last ? blob.length : (int) checkpoints.get(i + 1).blobOffset();
      int tarEnd = last ? tar.length : (int) checkpoints.get(i + 1).tarOffset();
      ByteBuffer encoded = ByteBuffer.wrap(blob, start, end - start);
      assertThat(digests.get(i)).isEqualTo(sha256(encoded.duplicate()));
      ByteBuffer expected =
          ByteBuffer.wrap(tar).slice((int) at.tarOffset(), tarEnd - (int) at.tarOffset());
      ChunkEncoding span =
          new ChunkEncoding.DeflateSpan(at.bits(), new ByteRange(0, at.window().remaining()));
      for (InflaterLibrary library : InflaterLibrary.values()) {
        if (library.present()) {
          ByteBuffer decoded = ByteBuffer.allocate(expected.remaining());
          new EncodingDecoder(library).decode(span, encoded, at.window().duplicate(), decoded);
          assertThat(decoded.flip()).as("span %d by %s", i, library).isEqualTo(expected);
        }
      }
    }
  }

  private static ByteBuffer sha256(ByteBuffer bytes) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(bytes);
      return ByteBuffer.wrap(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /** One member. */
  static byte[] gzip(byte[] content) {
    ByteArrayOutputStream encoded = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(encoded)) {
      gzip.write(content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return encoded.toByteArray();
  }
}
