package sluice.formats.soci;

import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * A vector of a {@link FlatBuffer}, which lies in it whole.
 *
 * @param at where its first element lies
 * @param length number of elements
 */
record FlatVector(FlatBuffer buffer, int at, int length) {

  FlatTable table(int index) throws CorruptException {
    return buffer.table(buffer.follow(at + index * Integer.BYTES));
  }

  Bytes text(int index) throws CorruptException {
    return buffer.text(buffer.follow(at + index * Integer.BYTES));
  }
}
