package sluice.formats.inflate;

import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;

/**
 * Decodes raw deflate streams (RFC 1951), one after another: {@link #start} and then {@link
 * #inflate} until it says that the stream has ended, or for as long as there is need.
 *
 * <p>For one thread at a time, and that a platform thread: all are native code, which pins the
 * carrier of a virtual one. Buffers may be of any kind. The same bytes come out of each inflater.
 * All refuse what breaks the format, but for one thing: ISA-L takes a set of Huffman codes that is
 * incomplete as long as no code is used that it lacks, which zlib refuses as it reads the set. No
 * encoder writes such sets; what they decode to is still checked by a digest or a CRC.
 */
public sealed interface RawInflater extends AutoCloseable
    permits IsalInflater, JdkInflater, LibzInflater {

  /**
   * An inflater may read ahead, and gives bytes back when a stream ends: as many, at most. If a
   * stream's input comes in several buffers, that many bytes of it, or all that there were, must
   * lie before the position of each.
   */
  int GIVEN_BACK_BYTES = 8;

  /** Begins a stream at a byte. */
  void start();

  /**
   * Begins inside a stream, between two blocks.
   *
   * @param firstByte the byte before the first whole one; unused when {@code bits} is 0
   * @param bits how many of its high bits belong to the stream, 0 to 7
   * @param window what was decoded before, at most 32 KiB; its position stays
   */
  void start(int firstByte, int bits, ByteBuffer window);

  /**
   * Decodes until the stream ends, {@code decoded} is full or {@code encoded} used up, and moves
   * the positions of both. Never reads or writes past their limits.
   *
   * @return whether the stream has ended; then {@code encoded} is at the first byte that follows
   *     it. If not, and {@code decoded} has room, more input is needed. Decoded bytes may be held
   *     back while {@code decoded} is full, so call again also if {@code encoded} is used up.
   * @throws DataFormatException if the bytes are not deflate; {@code decoded} then holds what came
   *     before, or less of it. Only {@link #start} is of use then
   */
  boolean inflate(ByteBuffer encoded, ByteBuffer decoded) throws DataFormatException;

  /** Frees the native memory. The inflater is of no use any more. */
  @Override
  void close();
}
