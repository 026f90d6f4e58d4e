/**
 * The nouns and ports that two modules or more share.
 *
 * <p>A <em>layer</em> of an image is turned, once, into a metadata image (the tree) and into chunk
 * tables of <em>devices</em>. A {@link sluice.core.LazyDevice} is the uncompressed, read-only
 * address space of one blob; a {@link sluice.core.Chunk} is what is fetched, decoded, verified and
 * marked present as one; its {@link sluice.core.Placement}s say where its bytes lie in the device.
 * {@link sluice.core.ContentHasher} checks content against a {@link sluice.core.Digest}.
 *
 * <p>The ports are {@link sluice.core.RangeSource} and {@link sluice.core.ImageRegistry} (what is
 * asked of a registry), {@link sluice.core.ChunkDecoder} (how a chunk is decoded), {@link
 * sluice.core.LayerFormat} (how a layer becomes an index), {@link sluice.core.DeviceStore} (where
 * devices live) and {@link sluice.core.RootfsMounter} (how a tree becomes a directory).
 */
@NullMarked
package sluice.core;

import org.jspecify.annotations.NullMarked;
