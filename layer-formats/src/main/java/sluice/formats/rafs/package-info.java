/**
 * RAFS v6, the format of nydus: one <em>bootstrap</em>, an EROFS image with the tree of the whole
 * container image, and <em>blobs</em> that hold chunks.
 *
 * <p>{@link sluice.formats.rafs.RafsFormat} recognises the layers of such an image. The bootstrap's
 * <em>blob table</em> names the blobs, its <em>chunk table</em> says where each chunk lies in its
 * blob and in the blob's uncompressed space, which is our device. Small chunks may be compressed
 * together as a <em>batch</em>; a <em>zran</em> blob is an ordinary gzip layer with checkpoints,
 * its <em>contexts</em>, and its chunks lie in what they decode to. Only for these the
 * <em>compression context table</em> ({@code blob.meta}) is needed as well. {@link
 * sluice.formats.rafs.RafsConverter} writes the format.
 *
 * <p>Layouts are little-endian and follow the nydus sources {@code rafs/src/metadata/layout/v6.rs},
 * {@code v5.rs} (the chunk table), {@code storage/src/meta} (contexts) and {@code
 * storage/src/meta/toc.rs}.
 */
@NullMarked
package sluice.formats.rafs;

import org.jspecify.annotations.NullMarked;
