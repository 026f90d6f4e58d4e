/**
 * File systems as FUSE asks for them, apart from how they are asked.
 *
 * <p>A {@link sluice.fuse.ReadOnlyFileSystem} answers by <em>node ids</em>. There are two: {@link
 * sluice.fuse.NodeFileSystem}, whose root lists all images of this host, and {@link
 * sluice.fuse.ImageFileSystem}, which is one image. Both answer from {@code ServedImage}s, which
 * read a mapped metadata image and keep no object per inode. A read becomes a {@link
 * sluice.fuse.ReadPlan}: the <em>runs</em> of device files and zeros that hold its bytes.
 *
 * <p>A transport turns what the kernel sends into calls of these: {@code sluice.fuse.raw} speaks
 * {@code /dev/fuse} itself and answers {@link sluice.fuse.FuseRequest}s, {@code sluice.fuse.jnr}
 * goes through libfuse 2.
 */
@NullMarked
package sluice.fuse;

import org.jspecify.annotations.NullMarked;
