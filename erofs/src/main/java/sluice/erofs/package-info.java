/**
 * Metadata images: EROFS images that hold a tree and no file data. A library of its own that knows
 * nothing of layers' formats, registries or mounts.
 *
 * <p>A {@link sluice.erofs.LayerTree} collects the entries of one layer, {@link
 * sluice.erofs.MetadataImageWriter} writes it, {@link sluice.erofs.MetadataImageMerge} makes one
 * image of a chain of layers, and {@link sluice.erofs.MetadataImage} reads any of them. Regular
 * files are lists of {@link sluice.erofs.Extent}s that point into devices, one {@link
 * sluice.erofs.DeviceSlot} each. What trees take of the heap, while they are built or merged, they
 * share in a {@link sluice.erofs.TreeRoom}.
 *
 * <p>The nouns are the kernel's ({@code fs/erofs/erofs_fs.h}): superblock, nid (the number of an
 * inode, its place in units of 32 bytes), dirent, chunk index, device slot, shared xattr.
 */
@NullMarked
package sluice.erofs;

import org.jspecify.annotations.NullMarked;
