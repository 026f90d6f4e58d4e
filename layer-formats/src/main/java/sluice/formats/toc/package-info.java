/**
 * What layers with a table of contents (TOC) share: eStargz, and zstd:chunked in all its dialects.
 *
 * <p>A {@link sluice.formats.toc.TocPlace} says where a TOC lies and which digests name it. {@link
 * sluice.formats.toc.TocIndexer} fetches it and parses it while it decodes ({@code TocReader},
 * {@code TocParser}), so that it is never whole in memory. {@code TocBuilder} makes a tree and the
 * columns of chunks of it, which nobody sees before the digests hold.
 */
@NullMarked
package sluice.formats.toc;

import org.jspecify.annotations.NullMarked;
