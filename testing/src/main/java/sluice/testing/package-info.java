/**
 * What tests of several modules share.
 *
 * <p>{@link sluice.testing.Fixtures} are the images that other tools made, as OCI image layouts. A
 * {@link sluice.testing.Tree} is what somebody says of a root file system: {@link
 * sluice.testing.ExpectedListing} reads it from a fixture's listing, {@link
 * sluice.testing.TreeListing} from a directory by system calls, and tests of metadata images adapt
 * theirs. {@link sluice.testing.ListingAssert} tells how two of them differ.
 *
 * <p>A {@link sluice.testing.DockerRegistry} is a real registry on a loopback port; {@link
 * sluice.testing.LayoutPush} fills it with the images of a layout. A {@link
 * sluice.testing.FaultyRegistry} before it spoils answers as it is told. A {@link
 * sluice.testing.PrivateContainerd} is a real containerd with a proxy snapshotter; a {@link
 * sluice.testing.SnapshotClient} calls the snapshotter itself, and {@link sluice.testing.Mounted}
 * mounts what it answers. {@link sluice.testing.LayoutWriter} and {@link sluice.testing.UpperLayer}
 * make images of what a test wrote.
 */
@NullMarked
package sluice.testing;

import org.jspecify.annotations.NullMarked;
