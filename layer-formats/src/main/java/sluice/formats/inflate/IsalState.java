package sluice.formats.inflate;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * ISA-L's {@code struct inflate_state} (isa-l/igzip_lib.h of 2.30) on 64-bit machines, as far as it
 * is used here.
 *
 * <pre>
 *     0  next_out        8
 *     8  avail_out       4
 *    12  total_out       4
 *    16  next_in         8
 *    24  read_in         8  bits that were read ahead
 *    32  avail_in        4
 *    36  read_in_length  4  how many there are
 *    40  tables          21120
 * 21160  block_state     4  enum isal_block_state
 *   …    to 87368
 * </pre>
 *
 * <p>For one thread at a time.
 */
final class IsalState {

  private static final long NEXT_OUT = 0;
  private static final long AVAIL_OUT = 8;
  private static final long TOTAL_OUT = 12;
  private static final long NEXT_IN = 16;
  private static final long READ_IN = 24;
  private static final long AVAIL_IN = 32;
  private static final long READ_IN_LENGTH = 36;
  private static final long TABLES = 40;
  private static final long BLOCK_STATE = 21_160;
  private static final long BYTES = 87_368;

  /** A version that needs more must find out without writing over something else. */
  private static final long ALLOCATED_BYTES = 128 * 1024;

  private static final byte UNTOUCHED = 0x5a;

  /** {@code ISAL_BLOCK_NEW_HDR} and {@code ISAL_BLOCK_FINISH}. */
  private static final int NEW_HEADER = 0;

  private static final int FINISH = 5;

  /**
   * ISA-L counts in 32 bits, and some versions judge by the count how far back a stream may refer.
   * Any value from 32 KiB on means the same to those.
   */
  private static final int MAX_TOTAL_OUT = 1 << 30;

  private final MemorySegment state;

  /** Makes a state in memory of {@code arena}, which must outlive it. */
  IsalState(Arena arena) {
    this.state = arena.allocate(ALLOCATED_BYTES, Long.BYTES);
    state.fill(UNTOUCHED);
    Isal.init(state);
  }

  /** Whether {@code isal_inflate_init} has set what it should, and no table. */
  boolean looksInitialised() {
    return state.get(ADDRESS, NEXT_OUT).address() == 0
        && state.get(JAVA_INT, AVAIL_OUT) == 0
        && state.get(JAVA_INT, TOTAL_OUT) == 0
        && state.get(ADDRESS, NEXT_IN).address() == 0
        && state.get(JAVA_LONG, READ_IN) == 0
        && state.get(JAVA_INT, AVAIL_IN) == 0
        && state.get(JAVA_INT, READ_IN_LENGTH) == 0
        && untouched(TABLES, BLOCK_STATE)
        && state.get(JAVA_INT, BLOCK_STATE) == NEW_HEADER
        && endUntouched();
  }

  /** Whether nothing was written behind the struct. */
  boolean endUntouched() {
    return untouched(BYTES, ALLOCATED_BYTES);
  }

  private boolean untouched(long from, long to) {
    for (long i = from; i < to; i++) {
      if (state.get(JAVA_BYTE, i) != UNTOUCHED) {
        return false;
      }
    }
    return true;
  }

  void reset() {
    Isal.reset(state);
  }

  /** Gives the window; before {@link #prime}. */
  boolean setDictionary(MemorySegment dictionary) {
    return Isal.setDictionary(state, dictionary) == 0;
  }

  /** Gives the first {@code bits} bits of a stream. */
  void prime(int bits, int value) {
    state.set(JAVA_LONG, READ_IN, value);
    state.set(JAVA_INT, READ_IN_LENGTH, bits);
  }

  /** One call of {@code isal_inflate}; both segments are native and outlive it. */
  int inflate(MemorySegment encoded, MemorySegment room) {
    state.set(ADDRESS, NEXT_IN, encoded);
    state.set(JAVA_INT, AVAIL_IN, Math.toIntExact(encoded.byteSize()));
    state.set(ADDRESS, NEXT_OUT, room);
    state.set(JAVA_INT, AVAIL_OUT, Math.toIntExact(room.byteSize()));
    int code = Isal.inflate(state);
    if (Integer.compareUnsigned(state.get(JAVA_INT, TOTAL_OUT), MAX_TOTAL_OUT) > 0) {
      state.set(JAVA_INT, TOTAL_OUT, MAX_TOTAL_OUT);
    }
    return code;
  }

  int availableIn() {
    return state.get(JAVA_INT, AVAIL_IN);
  }

  int availableOut() {
    return state.get(JAVA_INT, AVAIL_OUT);
  }

  boolean finished() {
    return state.get(JAVA_INT, BLOCK_STATE) == FINISH;
  }

  /** Whole bytes that were read ahead. */
  int readAhead() {
    return state.get(JAVA_INT, READ_IN_LENGTH) / Byte.SIZE;
  }
}
