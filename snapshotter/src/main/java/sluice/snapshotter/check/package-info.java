/**
 * Compares layers that are served from an index with what they hold, once they can be read whole.
 *
 * <p>{@link sluice.snapshotter.check.LayerChecks} finds what is due, {@link
 * sluice.snapshotter.check.LayerCheck} streams the layer and compares the trees.
 */
@NullMarked
package sluice.snapshotter.check;

import org.jspecify.annotations.NullMarked;
