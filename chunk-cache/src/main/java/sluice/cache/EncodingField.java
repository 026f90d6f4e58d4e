package sluice.cache;

import sluice.core.ByteRange;
import sluice.core.ChunkEncoding;
import sluice.core.ChunkEncoding.DeflateCheckpoint;
import sluice.core.ChunkEncoding.DeflateSpan;
import sluice.core.ChunkEncoding.GzipMember;
import sluice.core.ChunkEncoding.Lz4Block;
import sluice.core.ChunkEncoding.Plain;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.ChunkEncoding.WholeStream;
import sluice.core.ChunkEncoding.ZstdFrame;

/**
 * An encoding in a chunk table: 0 plain, 1 zstd frame, 2 LZ4 block, 3 gzip member, 4 deflate from a
 * checkpoint, 5 whole stream, whose argument is its compression: 0 none, 1 gzip, 2 zstd; 6 deflate
 * from a checkpoint whose first byte is in the range.
 */
final class EncodingField {
  static final int PLAIN = 0;
  static final int DEFLATE_CHECKPOINT = 4;
  static final int WHOLE_STREAM = 5;
  static final int DEFLATE_SPAN = 6;

  /** The largest code. */
  static final int LAST = DEFLATE_SPAN;

  /** The largest compression of a whole stream. */
  static final int LAST_COMPRESSION = 2;

  private static final ByteRange NO_WINDOW = new ByteRange(0, 0);
  private static final Plain PLAIN_ENCODING = new Plain();
  private static final ZstdFrame ZSTD = new ZstdFrame();
  private static final Lz4Block LZ4 = new Lz4Block();
  private static final GzipMember GZIP = new GzipMember();

  private EncodingField() {}

  static int code(ChunkEncoding encoding) {
    return switch (encoding) {
      case Plain _ -> PLAIN;
      case ZstdFrame _ -> 1;
      case Lz4Block _ -> 2;
      case GzipMember _ -> 3;
      case DeflateCheckpoint _ -> DEFLATE_CHECKPOINT;
      case WholeStream _ -> WHOLE_STREAM;
      case DeflateSpan _ -> DEFLATE_SPAN;
    };
  }

  static int argument(ChunkEncoding encoding) {
    return switch (encoding) {
      case DeflateCheckpoint checkpoint -> checkpoint.firstByte();
      case WholeStream stream ->
          switch (stream.compression()) {
            case NONE -> 0;
            case GZIP -> 1;
            case ZSTD -> 2;
          };
      case Plain _, ZstdFrame _, Lz4Block _, GzipMember _, DeflateSpan _ -> 0;
    };
  }

  /** Bits of a checkpoint; 0 for what is none. */
  static int bits(ChunkEncoding encoding) {
    return switch (encoding) {
      case DeflateCheckpoint checkpoint -> checkpoint.bits();
      case DeflateSpan span -> span.bits();
      case Plain _, ZstdFrame _, Lz4Block _, GzipMember _, WholeStream _ -> 0;
    };
  }

  /** Where the dictionary of a checkpoint lies; empty for what is none. */
  static ByteRange window(ChunkEncoding encoding) {
    return switch (encoding) {
      case DeflateCheckpoint checkpoint -> checkpoint.window();
      case DeflateSpan span -> span.window();
      case Plain _, ZstdFrame _, Lz4Block _, GzipMember _, WholeStream _ -> NO_WINDOW;
    };
  }

  /** The encoding with that code and argument, which were checked. */
  static ChunkEncoding get(int code, int argument, int bits, ByteRange window) {
    return switch (code) {
      case PLAIN -> PLAIN_ENCODING;
      case 1 -> ZSTD;
      case 2 -> LZ4;
      case 3 -> GZIP;
      case DEFLATE_CHECKPOINT -> new DeflateCheckpoint(argument, bits, window);
      case WHOLE_STREAM -> new WholeStream(compression(argument));
      case DEFLATE_SPAN -> new DeflateSpan(bits, window);
      default -> throw new IllegalArgumentException("encoding " + code);
    };
  }

  private static StreamCompression compression(int argument) {
    return switch (argument) {
      case 0 -> StreamCompression.NONE;
      case 1 -> StreamCompression.GZIP;
      case 2 -> StreamCompression.ZSTD;
      default -> throw new IllegalArgumentException("compression " + argument);
    };
  }
}
