package sluice.formats.decode;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import sluice.core.ChunkDecoder;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;
import sluice.formats.inflate.InflaterLibrary;
import sluice.formats.inflate.InflaterPool;
import sluice.formats.inflate.RawInflater;
import sluice.formats.stream.LayerStream;

/**
 * Decodes chunks of every encoding. Leaves the position of {@code encoded} where it is, and that of
 * {@code decoded} at its limit. The libraries are native code, which pins the carrier of a virtual
 * thread: call it on platform threads.
 */
public final class EncodingDecoder implements ChunkDecoder {

  private final InflaterPool inflaters;

  /** Makes a decoder that inflates by the fastest library of this host. */
  public EncodingDecoder() {
    this(InflaterLibrary.fastest());
  }

  /** Makes a decoder that inflates by one library, which must be there. */
  public EncodingDecoder(InflaterLibrary inflaters) {
    this.inflaters = InflaterPool.of(inflaters);
  }

  @Override
  public void decode(
      ChunkEncoding encoding, ByteBuffer encoded, ByteBuffer window, ByteBuffer decoded)
      throws IOException {
    ByteBuffer in = encoded.slice();
    switch (encoding) {
      case ChunkEncoding.Plain() -> copy(in, decoded);
      case ChunkEncoding.ZstdFrame() -> ZstdDecoder.decode(in, decoded);
      case ChunkEncoding.Lz4Block() -> Lz4Decoder.decode(in, decoded);
      case ChunkEncoding.GzipMember() ->
          inflate(inflater -> GzipDecoder.decodeMembers(inflater, in, decoded));
      case ChunkEncoding.DeflateCheckpoint checkpoint ->
          inflate(inflater ->
              GzipDecoder.decodeFrom(inflater, checkpoint, in, window.slice(), decoded));
      case ChunkEncoding.DeflateSpan span ->
          inflate(inflater -> GzipDecoder.decodeSpan(inflater, span, in, window.slice(), decoded));
      case ChunkEncoding.WholeStream whole ->
          throw new IllegalArgumentException(whole + " is decoded as a stream, not as a chunk");
    }
  }

  @Override
  public InputStream decode(ChunkEncoding.WholeStream encoding, InputStream encoded)
      throws IOException {
    return LayerStream.open(encoding.compression(), encoded, "layer", inflaters.library());
  }

  /** What is done with an inflater that was lent. */
  private interface Inflation {
    void by(RawInflater inflater) throws IOException;
  }

  private void inflate(Inflation inflation) throws IOException {
    RawInflater inflater = inflaters.take();
    try {
      inflation.by(inflater);
    } finally {
      inflaters.giveBack(inflater);
    }
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
