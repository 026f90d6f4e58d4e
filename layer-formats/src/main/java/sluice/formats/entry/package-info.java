/**
 * What any format needs to put the entries of a layer into a tree: {@link
 * sluice.formats.entry.LayerEntry}, as tar streams and tables of contents have them, and {@link
 * sluice.formats.entry.EntryTree}, which makes of them what containerd's unpack would.
 */
@NullMarked
package sluice.formats.entry;

import org.jspecify.annotations.NullMarked;
