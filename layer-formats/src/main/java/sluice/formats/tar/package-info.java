/**
 * Ordinary layers: tar, tar+gzip and tar+zstd, streamed once from the registry into the tree and
 * the device.
 *
 * <p>{@link sluice.formats.tar.TarFormat} recognises them. The indexer's <em>fetch</em> half reads,
 * hashes and decompresses; its <em>unpack</em> half, on a thread of its own, hashes the tar stream,
 * parses it ({@code TarReader}: blocks, {@code PaxRecords}, {@code SparseMap}), lays file data into
 * the device ({@code DeviceWriter}) and entries into the tree ({@code TarUnpack}). The device that
 * a stream fills is one chunk, the whole stream, with a placement for each run of file data. What
 * passes by is told to a {@code sluice.formats.record}, which may make an index of it.
 *
 * <p>{@link sluice.formats.tar.HeaderCheck} compares the headers in a part of a tar stream with
 * what some index states of them.
 *
 * <p>What a tar stream means is what Go's {@code archive/tar} and containerd's unpack make of it,
 * as every image was tested with them; where the code goes further, it says so. What they refuse is
 * refused here, too, so that an image does not work on one node only.
 */
@NullMarked
package sluice.formats.tar;

import org.jspecify.annotations.NullMarked;
