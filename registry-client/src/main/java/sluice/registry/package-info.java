/**
 * Images in image layouts on disk (OCI image specification, "Image Layout"), and the documents that
 * describe them.
 *
 * <p>An {@link sluice.registry.OciLayout} reads and writes them behind the ports of {@code
 * sluice.core}.
 */
@NullMarked
package sluice.registry;

import org.jspecify.annotations.NullMarked;
