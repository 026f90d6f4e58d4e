package sluice.formats.decode;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import sluice.core.ChunkDecoder;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;
import sluice.formats.stream.LayerStream;

/**
 * Decodes chunks of every encoding. Leaves the position of {@code encoded} where it is, and that of
 * {@code decoded} at its limit. zstd and lz4 are native code, which pins the carrier of a virtual
 * thread: call it on platform threads.
 */
public final class EncodingDecoder implements ChunkDecoder {

  @Override
  public void decode(
      ChunkEncoding encoding, ByteBuffer encoded, ByteBuffer window, ByteBuffer decoded)
      throws IOException {
    ByteBuffer in = encoded.slice();
    switch (encoding) {
      case ChunkEncoding.Plain() -> copy(in, decoded);
      case ChunkEncoding.ZstdFrame() -> ZstdDecoder.decode(in, decoded);
      case ChunkEncoding.Lz4Block() -> Lz4Decoder.decode(in, decoded);
      case ChunkEncoding.GzipMember() -> GzipDecoder.decodeMembers(in, decoded);
      case ChunkEncoding.DeflateCheckpoint checkpoint ->
          GzipDecoder.decodeFrom(checkpoint, in, window.slice(), decoded);
      case ChunkEncoding.DeflateSpan span ->
          GzipDecoder.decodeSpan(span, in, window.slice(), decoded);
      case ChunkEncoding.WholeStream whole ->
          throw new IllegalArgumentException(whole + " is decoded as a stream, not as a chunk");
    }
  }

  @Override
  public InputStream decode(ChunkEncoding.WholeStream encoding, InputStream encoded)
      throws IOException {
    return LayerStream.open(encoding.compression(), encoded, "layer");
  }

  private static void copy(ByteBuffer encoded, ByteBuffer decoded) throws CorruptException {
    if (encoded.remaining() != decoded.remaining()) {
      throw new CorruptException(
          "%d bytes as they are, expected %d".formatted(encoded.remaining(), decoded.remaining()),
          "chunk",
          -1);
    }
    decoded.put(encoded);
  }
}
