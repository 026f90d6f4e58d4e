/**
 * What may be written down while a layer streams: the port through which whoever streams layers
 * tells whoever makes indexes of them what passes by. Neither knows the other.
 */
@NullMarked
package sluice.formats.record;

import org.jspecify.annotations.NullMarked;
