/**
 * The snapshots and what may be done with them.
 *
 * <p>A <em>snapshot</em> is active, a view, or committed; a committed one has a name instead of a
 * key and may be a parent. A {@link sluice.snapshotter.state.CommittedLayer} is either
 * <em>local</em>, a directory that containerd filled, or <em>lazy</em>, a layer that Sluice serves
 * itself: then a {@link sluice.snapshotter.state.LazyLayer} says all that is needed to have it
 * again. Neighbours in a chain that are lazy form a {@link sluice.snapshotter.state.LazyRun} and
 * are mounted as one directory. {@link sluice.snapshotter.state.LazyLayers} is the port to the
 * image lifecycle, which knows how layers become lazy and how runs become directories.
 */
@NullMarked
package sluice.snapshotter.state;

import org.jspecify.annotations.NullMarked;
