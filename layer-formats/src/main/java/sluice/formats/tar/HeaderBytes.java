package sluice.formats.tar;

import java.nio.ByteBuffer;
import sluice.core.CorruptException;
import sluice.formats.statement.EntryStatement;

/**
 * Headers in a decoded part of a tar stream.
 *
 * @param bytes the part, from 0 on
 * @param tarOffset where it lies in the tar stream
 */
record HeaderBytes(ByteBuffer bytes, long tarOffset, String resource) {

  int length() {
    return bytes.limit();
  }

  boolean isZero(int at, int length) {
    for (int i = at; i < at + length; i++) {
      if (bytes.get(i) != 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * Reads the headers of one entry.
   *
   * @param length of all of them, 0 or more; lies within the part
   * @throws CorruptException if there are others, or if they are longer or shorter
   */
  EntryHeaders headers(int at, int length) throws CorruptException {
    HeaderChain chain = new HeaderChain();
    int done = 0;
    while (length - done >= TarHeader.BYTES) {
      long offset = tarOffset + at + done;
      byte[] block = new byte[TarHeader.BYTES];
      bytes.get(at + done, block);
      if (TarHeader.isZero(block)) {
        throw corrupt("a block of zeros, where tar streams end", at + done);
      }
      TarHeader header = TarHeader.read(block, offset, resource);
      done += TarHeader.BYTES;
      if (!HeaderChain.isSpecial(header)) {
        EntryHeaders headers = chain.end(header, new TarField(block, offset, resource), offset);
        if (done < length) {
          throw corrupt(
              "the entry \"%s\" is here, which the index has not"
                  .formatted(EntryStatement.quoted(headers.name())),
              at + done - TarHeader.BYTES);
        }
        return headers;
      }
      int special = HeaderChain.specialBytes(header, offset, resource);
      if (special > length - done) {
        break;
      }
      byte[] content = new byte[special];
      bytes.get(at + done, content);
      chain.add(header, content, offset, resource);
      done += special + (-special & (TarLimits.BLOCK_BYTES - 1));
    }
    throw corrupt("they do not end within %d bytes".formatted(length), at);
  }

  /** An error at a place of the part. */
  CorruptException corrupt(String problem, long at) {
    return new CorruptException("tar: " + problem, resource, tarOffset + at);
  }
}
