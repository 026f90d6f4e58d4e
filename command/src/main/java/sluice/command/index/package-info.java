/**
 * Indexes of layers, as operators deal with them: made from an image that somebody names, kept in
 * an image layout on disk, pushed beside the image, and pushed by a daemon for what it streamed
 * anyway.
 */
@NullMarked
package sluice.command.index;

import org.jspecify.annotations.NullMarked;
