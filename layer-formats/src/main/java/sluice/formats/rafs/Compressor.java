package sluice.formats.rafs;

import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;

/** How chunks, or contexts, are compressed: {@code compress::Algorithm} of nydus. */
enum Compressor {
  NONE(0),
  LZ4_BLOCK(1),
  GZIP(2),
  ZSTD(3);

  private final int number;

  Compressor(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  static Compressor of(int number, String structure, String resource, long offset)
      throws CorruptException {
    for (Compressor compressor : values()) {
      if (compressor.number == number) {
        return compressor;
      }
    }
    throw new CorruptException(
        "%s: compressor %s, expected 0 to 3".formatted(structure, Integer.toUnsignedString(number)),
        resource,
        offset);
  }

  ChunkEncoding encoding() {
    return switch (this) {
      case NONE -> new ChunkEncoding.Plain();
      case LZ4_BLOCK -> new ChunkEncoding.Lz4Block();
      case GZIP -> new ChunkEncoding.GzipMember();
      case ZSTD -> new ChunkEncoding.ZstdFrame();
    };
  }
}
