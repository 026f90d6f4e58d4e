package sluice.benchmarks;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import net.jpountz.lz4.LZ4Factory;
import sluice.core.ChunkEncoding;

/** Content in each encoding that a chunk may have but gzip, and how its library decodes it. */
public enum EncodedSample {
  /** As it is; the library is a copy. */
  PLAIN {
    @Override
    byte[] encode(byte[] content) {
      return content.clone();
    }

    @Override
    ChunkEncoding encoding() {
      return new ChunkEncoding.Plain();
    }

    @Override
    void decodeByLibrary(byte[] encoded, byte[] decoded) {
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
    ChunkEncoding encoding() {
      return new ChunkEncoding.ZstdFrame();
    }

    @Override
    void decodeByLibrary(byte[] encoded, byte[] decoded) {
      Zstd.decompressByteArray(decoded, 0, decoded.length, encoded, 0, encoded.length);
    }
  },

  /** A frame as streams are written: its header does not say how long it is. */
  ZSTD_STREAM {
    @Override
    byte[] encode(byte[] content) throws IOException {
      ByteArrayOutputStream frame = new ByteArrayOutputStream();
      try (ZstdOutputStream zstd = new ZstdOutputStream(frame)) {
        zstd.write(content);
      }
      return frame.toByteArray();
    }

    @Override
    ChunkEncoding encoding() {
      return new ChunkEncoding.ZstdFrame();
    }

    @Override
    void decodeByLibrary(byte[] encoded, byte[] decoded) {
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
    ChunkEncoding encoding() {
      return new ChunkEncoding.Lz4Block();
    }

    @Override
    void decodeByLibrary(byte[] encoded, byte[] decoded) {
      LZ4Factory.fastestInstance().safeDecompressor().decompress(encoded, decoded);
    }
  };

  abstract byte[] encode(byte[] content) throws IOException;

  abstract ChunkEncoding encoding();

  abstract void decodeByLibrary(byte[] encoded, byte[] decoded);
}
