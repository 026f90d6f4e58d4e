/**
 * SOCI, version 1 and 2: ordinary layers with an index beside them, which the image's manifest
 * names or which refers to the image.
 *
 * <p>An <em>index</em> is a manifest that lists a <em>zTOC</em> for each layer that has one. A zTOC
 * is a FlatBuffer ({@code FlatBuffer} reads them, {@link sluice.formats.soci.Ztoc} knows the
 * fields): the entries of the layer's tar stream, and {@code Spans} that can be fetched, verified
 * and decoded each by itself; those of gzip begin at <em>checkpoints</em>. {@code StatementFile}
 * keeps what a zTOC says of the tar headers in each span, to be compared when it is decoded. {@code
 * ZtocWriter} writes what it reads.
 *
 * <p>{@code ZtocRecorder} makes zTOCs of layers that are streamed because nobody has an index of
 * them, and {@code OwnIndexes} keeps them: {@code ZtocRecording} while the layer streams, {@code
 * ZtocPass} behind it.
 *
 * <p>What a zTOC cannot say: where the holes of sparse files lie (such a layer is not served from
 * it), and times outside of the years 0 to 9999.
 */
@NullMarked
package sluice.formats.soci;

import org.jspecify.annotations.NullMarked;
