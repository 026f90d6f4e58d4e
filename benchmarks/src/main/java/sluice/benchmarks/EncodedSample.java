package sluice.benchmarks;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import java.util.zip.Inflater;
import net.jpountz.lz4.LZ4Factory;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding;

/** Content in each encoding that a chunk may have, and how its library decodes it. */
public enum EncodedSample {
  /** As it is; the library is a copy. */
  PLAIN {
    @Override
    byte[] encode(byte[] content) {
      return content.clone();
    }

    @Override
    ChunkEncoding encoding(byte[] encoded) {
      return new ChunkEncoding.Plain();
    }

    @Override
    void decodeByLibrary(byte[] encoded, byte[] window, byte[] decoded) {
      System.arraycopy(encoded, 0, decoded, 0, decoded.length);
    }
  },

  /** A frame of level 3; the library is zstd-jni. */
  ZSTD {
    @Override
    byte[] encode(byte[] content) {
      return Zstd.compress(content);
    }

    @Override
    ChunkEncoding encoding(byte[] encoded) {
      return new ChunkEncoding.ZstdFrame();
    }

    @Override
    void decodeByLibrary(byte[] encoded, byte[] window, byte[] decoded) {
      Zstd.decompressByteArray(decoded, 0, decoded.length, encoded, 0, encoded.length);
    }
  },

  /** A block; the library is lz4-java. */
  LZ4 {
    @Override
    byte[] encode(byte[] content) {
      return LZ4Factory.fastestInstance().fastCompressor().compress(content);
    }

    @Override
    ChunkEncoding encoding(byte[] encoded) {
      return new ChunkEncoding.Lz4Block();
    }

    @Override
    void decodeByLibrary(byte[] encoded, byte[] window, byte[] decoded) {
      LZ4Factory.fastestInstance().safeDecompressor().decompress(encoded, decoded);
    }
  },

  /** A member, whose CRC is checked too; the library is the JDK's zlib. */
  GZIP {
    @Override
    byte[] encode(byte[] content) throws IOException {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
        gzip.write(content);
      }
      return out.toByteArray();
    }

    @Override
    ChunkEncoding encoding(byte[] encoded) {
      return new ChunkEncoding.GzipMember();
    }

    @Override
    void decodeByLibrary(byte[] encoded, byte[] window, byte[] decoded) throws DataFormatException {
      inflate(encoded, GZIP_HEADER_BYTES, new byte[0], decoded);
    }
  },

  /** Deflate that refers to 32 KiB before it; the library is the JDK's zlib. */
  DEFLATE {
    @Override
    byte[] window(byte[] content) {
      return Arrays.copyOf(content, WINDOW_BYTES);
    }

    @Override
    byte[] encode(byte[] content) {
      Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
      try {
        deflater.setDictionary(window(content));
        deflater.setInput(content);
        deflater.finish();
        byte[] encoded = new byte[2 * content.length];
        return Arrays.copyOf(encoded, deflater.deflate(encoded));
      } finally {
        deflater.end();
      }
    }

    @Override
    ChunkEncoding encoding(byte[] encoded) {
      return new ChunkEncoding.DeflateCheckpoint(0, 0, new ByteRange(0, WINDOW_BYTES));
    }

    @Override
    void decodeByLibrary(byte[] encoded, byte[] window, byte[] decoded) throws DataFormatException {
      inflate(encoded, 0, window, decoded);
    }
  };

  private static final int WINDOW_BYTES = 32 << 10;

  /** RFC 1952 without optional fields. */
  private static final int GZIP_HEADER_BYTES = 10;

  abstract byte[] encode(byte[] content) throws IOException;

  abstract ChunkEncoding encoding(byte[] encoded);

  abstract void decodeByLibrary(byte[] encoded, byte[] window, byte[] decoded)
      throws DataFormatException;

  /** What the encoded bytes refer to; nothing for most. */
  byte[] window(byte[] content) {
    return new byte[0];
  }

  private static void inflate(byte[] encoded, int from, byte[] window, byte[] decoded)
      throws DataFormatException {
    Inflater inflater = new Inflater(true);
    try {
      if (window.length > 0) {
        inflater.setDictionary(window);
      }
      inflater.setInput(encoded, from, encoded.length - from);
      int length = inflater.inflate(decoded);
      if (length != decoded.length) {
        throw new DataFormatException("%d bytes instead of %d".formatted(length, decoded.length));
      }
    } finally {
      inflater.end();
    }
  }
}
