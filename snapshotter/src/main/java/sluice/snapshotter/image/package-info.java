/**
 * The life of images on this node, on the ports of {@code core} alone.
 *
 * <p>A reference becomes a {@link sluice.snapshotter.image.ResolvedImage} (manifest, configuration,
 * chain IDs). Each of its layers is made, once, into a {@link sluice.snapshotter.image.KeptLayer}
 * of the {@link sluice.snapshotter.image.LayerLibrary}: a metadata image and the devices that it
 * points into. Neighbouring layers are merged by the {@link sluice.snapshotter.image.ChainLibrary},
 * and a merged image is mounted once by the {@link sluice.snapshotter.image.RootfsLibrary}. {@link
 * sluice.snapshotter.image.ImageLibrary} binds them.
 */
@NullMarked
package sluice.snapshotter.image;

import org.jspecify.annotations.NullMarked;
