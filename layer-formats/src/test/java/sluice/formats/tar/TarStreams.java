package sluice.formats.tar;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import sluice.core.Bytes;
import sluice.core.Digest;

/** Reads tar streams that are in memory. */
final class TarStreams {

  /** No whole number of blocks, so that headers and data are cut anywhere. */
  private static final int PIPE_BLOCK_BYTES = 700;

  /** No test reads more of a sparse file than this. */
  private static final int MAX_CONTENT_BYTES = 64 << 20;

  private TarStreams() {}

  /** An entry with its content, holes filled with zeros. */
  record Read(TarEntry entry, Bytes content) {
    String name() {
      return entry.name().toString();
    }
  }

  /** All entries of {@code tar}. */
  static List<Read> read(byte[] tar) throws IOException {
    TarReader reader = new TarReader(input(tar), bytes -> {});
    List<Read> entries = new ArrayList<>();
    TarEntry entry;
    while ((entry = reader.next()) != null) {
      Content content = new Content();
      reader.content(entry, content);
      entries.add(new Read(entry, Bytes.of(content.bytes.toByteArray())));
    }
    return entries;
  }

  /** The only entry of {@code tar}. */
  static Read one(byte[] tar) throws IOException {
    List<Read> entries = read(tar);
    if (entries.size() != 1) {
      throw new AssertionError("one entry expected, found " + entries);
    }
    return entries.getFirst();
  }

  /** {@code tar} as it comes out of a pipe. */
  static TarInput input(byte[] tar) {
    BlockPipe pipe = new BlockPipe(tar.length / PIPE_BLOCK_BYTES + 1, PIPE_BLOCK_BYTES);
    for (int at = 0; at < tar.length; at += PIPE_BLOCK_BYTES) {
      int length = Math.min(PIPE_BLOCK_BYTES, tar.length - at);
      try {
        BlockPipe.Block block = pipe.toFill();
        if (block == null) {
          throw new AssertionError("nobody aborted the pipe");
        }
        System.arraycopy(tar, at, block.bytes(), 0, length);
        pipe.filled(block, length);
      } catch (InterruptedException e) {
        throw new AssertionError("there is a free block", e);
      }
    }
    pipe.end();
    return new TarInput(pipe, Digest.sha256(), "layer x");
  }

  private static final class Content implements TarReader.ContentSink {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    @Override
    public void data(long streamOffset, byte[] from, int offset, int length) {
      bytes.write(from, offset, length);
    }

    @Override
    public void hole(long length) throws IOException {
      if (bytes.size() + length > MAX_CONTENT_BYTES) {
        throw new IOException("a hole of " + length + " bytes");
      }
      bytes.writeBytes(new byte[(int) length]);
    }
  }
}
