/**
 * Layers as streams of bytes: the compressions that a whole tar stream can have.
 *
 * <p>{@link sluice.formats.stream.LayerStream} finds out which one it is, and opens it. What is
 * refused is what containerd's own unpack refuses: a stream that ends early, a wrong checksum, and
 * anything after the last member or frame that is neither.
 */
@NullMarked
package sluice.formats.stream;

import org.jspecify.annotations.NullMarked;
