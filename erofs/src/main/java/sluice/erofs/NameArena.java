package sluice.erofs;

import java.util.ArrayList;
import java.util.List;
import sluice.core.Bytes;

/** Many names of up to 255 bytes, without an object each. */
final class NameArena {

  private static final int PIECE_BYTES = 1 << 20;

  private final List<byte[]> pieces = new ArrayList<>();
  private int used = PIECE_BYTES;

  /** Keeps a name, and returns where. */
  long add(Bytes name) {
    if (used + 1 + name.length() > PIECE_BYTES) {
      pieces.add(new byte[PIECE_BYTES]);
      used = 0;
    }
    byte[] piece = pieces.getLast();
    long at = (pieces.size() - 1L) * PIECE_BYTES + used;
    piece[used++] = (byte) name.length();
    name.asBuffer().get(piece, used, name.length());
    used += name.length();
    return at;
  }

  Bytes get(long at) {
    byte[] piece = pieces.get((int) (at / PIECE_BYTES));
    int offset = (int) (at % PIECE_BYTES);
    return Bytes.of(piece, offset + 1, Byte.toUnsignedInt(piece[offset]));
  }
}
