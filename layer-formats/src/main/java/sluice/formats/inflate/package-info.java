/**
 * The inflaters of this host, and what they have in common.
 *
 * <p>{@link sluice.formats.inflate.InflaterLibrary} names them and says which one is used for what.
 * Each decodes raw deflate (RFC 1951), so that what surrounds it, {@link
 * sluice.formats.inflate.GzipHeader} and trailer, is read by the same code whichever is used.
 */
@NullMarked
package sluice.formats.inflate;

import org.jspecify.annotations.NullMarked;
