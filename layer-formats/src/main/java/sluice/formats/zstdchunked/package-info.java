/**
 * zstd:chunked: tar+zstd whose frames begin at the payloads of files, with a table of contents in a
 * skippable frame near its end. Three writers, three dialects: podman's of today, podman's of 2022,
 * and stargz's.
 */
@NullMarked
package sluice.formats.zstdchunked;

import org.jspecify.annotations.NullMarked;
