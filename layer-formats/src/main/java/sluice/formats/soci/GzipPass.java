package sluice.formats.soci;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import sluice.core.Digest;
import sluice.formats.inflate.CheckpointPass;
import sluice.formats.inflate.InflaterLibrary;

/** Writes the checkpoints of a gzip blob, and hashes the spans between them. */
final class GzipPass {

  private static final int PIECE_BYTES = 256 << 10;

  private GzipPass() {}

  /**
   * Reads the blob once.
   *
   * @param blob at its beginning
   * @param table gets the checkpoints, and is finished
   * @param stopped whether to give up
   * @return the digests of the spans
   * @throws IOException also where the host has no library for it
   */
  static List<Digest> run(
      FileChannel blob,
      GzipCheckpoints table,
      long spanBytes,
      BooleanSupplier stopped,
      String resource)
      throws IOException {
    String missing = InflaterLibrary.LIBZ.problem();
    if (missing != null) {
      throw new IOException("checkpoints cannot be found: " + missing);
    }
    List<Digest> digests = new ArrayList<>();
    CheckpointPass.Sink sink =
        new CheckpointPass.Sink() {
          @Override
          public void checkpoint(long blobOffset, long tarOffset, int bits, ByteBuffer window)
              throws IOException {
            table.add(blobOffset, tarOffset, bits, window);
          }

          @Override
          public void spanEnd(byte[] sha256) {
            digests.add(Digest.of(Digest.Algorithm.SHA256, sha256));
          }
        };
    ByteBuffer piece = ByteBuffer.allocateDirect(PIECE_BYTES);
    try (CheckpointPass pass = new CheckpointPass(spanBytes, sink, resource)) {
      long at = 0;
      int read;
      while ((read = blob.read(piece.clear(), at)) > 0) {
        if (stopped.getAsBoolean()) {
          throw new IOException(resource + ": its index is given up");
        }
        pass.feed(piece.flip());
        at += read;
      }
      var _ = pass.finish();
    }
    table.finish();
    return digests;
  }
}
