/**
 * Decoders of the encodings that chunks have in their blobs.
 *
 * <p>{@link sluice.formats.decode.EncodingDecoder} chooses among them. None writes more than it is
 * asked for, whatever its input claims, and none allocates by a length that the input gives.
 */
@NullMarked
package sluice.formats.decode;

import org.jspecify.annotations.NullMarked;
