package sluice.core;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/** Decodes chunks. Safe for use by many threads. */
public interface ChunkDecoder {

  /**
   * Decodes {@code encoded} into {@code decoded}: exactly {@code decoded.remaining()} bytes, or an
   * exception. Never writes past the limit of {@code decoded}, whatever the input claims. With
   * {@link ChunkEncoding.ZstdFrame}, {@link ChunkEncoding.GzipMember} and {@link
   * ChunkEncoding.DeflateCheckpoint}, bytes that decode to more than that are left alone.
   *
   * @param encoding any encoding but {@link ChunkEncoding.WholeStream}
   * @param window the dictionary of a {@link ChunkEncoding.DeflateCheckpoint} or {@link
   *     ChunkEncoding.DeflateSpan}; empty for others
   * @throws CorruptException if the bytes are not a chunk of that encoding and length
   */
  void decode(ChunkEncoding encoding, ByteBuffer encoded, ByteBuffer window, ByteBuffer decoded)
      throws IOException;

  /**
   * Decodes a whole blob as it streams. Closing the result closes {@code encoded}, of which it
   * takes ownership. Reading to the end of the result reads {@code encoded} to its end too, so that
   * a digest over it is complete.
   */
  InputStream decode(ChunkEncoding.WholeStream encoding, InputStream encoded) throws IOException;
}
