package sluice.core;

/**
 * A range of bytes, {@code [offset, offset + length)}.
 *
 * @param offset first byte, 0 or more
 * @param length number of bytes, 0 or more; {@code offset + length} fits in a {@code long}
 */
public record ByteRange(long offset, long length) {

  public ByteRange {
    if (offset < 0 || length < 0 || offset + length < 0) {
      throw new IllegalArgumentException("range: offset " + offset + ", length " + length);
    }
  }

  /** The first byte after the range. */
  public long end() {
    return offset + length;
  }

  /** Whether {@code other} lies in this range. */
  public boolean contains(ByteRange other) {
    return other.offset >= offset && other.end() <= end();
  }

  /** Whether the ranges share a byte. */
  public boolean overlaps(ByteRange other) {
    return other.offset < end() && offset < other.end();
  }

  @Override
  public String toString() {
    return "[" + offset + ", " + end() + ")";
  }
}
