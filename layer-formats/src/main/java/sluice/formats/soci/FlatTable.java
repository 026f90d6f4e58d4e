package sluice.formats.soci;

import com.google.flatbuffers.Table;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * One table of a {@link FlatBuffer}. Fields are known by their numbers, in the order of the schema;
 * one that is not there has its default.
 */
final class FlatTable extends Table {

  /** Its own length and that of its table, before the offsets of the fields. */
  private static final int VTABLE_HEADER_BYTES = 4;

  private final FlatBuffer buffer;

  FlatTable(FlatBuffer buffer, int at) throws CorruptException {
    this.buffer = buffer;
    buffer.require(at, Integer.BYTES);
    long vtable = (long) at - buffer.bytes().getInt(at);
    buffer.require(vtable, VTABLE_HEADER_BYTES);
    int vtableBytes = buffer.bytes().getShort((int) vtable);
    if (vtableBytes < VTABLE_HEADER_BYTES || vtableBytes % Short.BYTES != 0) {
      throw buffer.corrupt("fields of a table in %d bytes".formatted(vtableBytes), vtable);
    }
    buffer.require(vtable, vtableBytes);
    buffer.charge(vtableBytes, at);
    __reset(at, buffer.bytes());
  }

  /** Where the table lies. */
  int at() {
    return bb_pos;
  }

  long longAt(int field, long otherwise) throws CorruptException {
    int at = fieldAt(field, Long.BYTES);
    return at == 0 ? otherwise : bb.getLong(at);
  }

  int intAt(int field, int otherwise) throws CorruptException {
    int at = fieldAt(field, Integer.BYTES);
    return at == 0 ? otherwise : bb.getInt(at);
  }

  byte byteAt(int field, byte otherwise) throws CorruptException {
    int at = fieldAt(field, Byte.BYTES);
    return at == 0 ? otherwise : bb.get(at);
  }

  /** The bytes of a string, which need not be UTF-8; none if it is not there. */
  Bytes textAt(int field) throws CorruptException {
    int at = fieldAt(field, Integer.BYTES);
    return at == 0 ? Bytes.EMPTY : buffer.text(buffer.follow(at));
  }

  /**
   * The table that a field leads to.
   *
   * @throws CorruptException if it is not there
   */
  FlatTable tableAt(int field) throws CorruptException {
    int at = fieldAt(field, Integer.BYTES);
    if (at == 0) {
      throw buffer.corrupt("field %d of a table is not there".formatted(field), bb_pos);
    }
    return buffer.table(buffer.follow(at));
  }

  /** A vector of offsets to tables or strings, or of bytes; an empty one if it is not there. */
  FlatVector vectorAt(int field, int elementBytes) throws CorruptException {
    int at = fieldAt(field, Integer.BYTES);
    if (at == 0) {
      return new FlatVector(buffer, 0, 0);
    }
    int vector = buffer.follow(at);
    int length = buffer.length(vector, elementBytes);
    return new FlatVector(buffer, vector + Integer.BYTES, length);
  }

  /** Where a field lies; 0 if it is not there. */
  private int fieldAt(int field, int length) throws CorruptException {
    int offset = __offset(VTABLE_HEADER_BYTES + field * Short.BYTES) & 0xffff;
    if (offset == 0) {
      return 0;
    }
    buffer.require((long) bb_pos + offset, length);
    return bb_pos + offset;
  }
}
