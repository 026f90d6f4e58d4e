/**
 * eStargz (stargz-snapshotter, {@code docs/estargz.md}): tar.gz whose gzip members begin at the
 * payloads of files, with a table of contents as its last file, or in an image of its own.
 */
@NullMarked
package sluice.formats.estargz;

import org.jspecify.annotations.NullMarked;
