/**
 * The devices of a node on local disk, filled as they are read.
 *
 * <p>{@link sluice.cache.ChunkCache} is the store. A {@code CacheDevice} is one device: its {@code
 * ChunkTable} (where each piece comes from; a mapped file), its {@code Presence} (which chunks are
 * in the data file) and its holders. {@code Fetcher} answers {@code ensure}: a {@code Flight} is
 * one chunk on its way, which all readers of the chunk join; a {@code RangeRead} is one request at
 * a registry, for chunks that are neighbours in their blob; {@code FetchScheduler} says when it may
 * be sent. {@code EqualChunks} finds bytes that another device has already. {@code Durability}
 * makes the disk catch up with what readers have been told.
 */
@NullMarked
package sluice.cache;

import org.jspecify.annotations.NullMarked;
