/** What tests of layer formats share: a plain device store, and trees of metadata images. */
@NullMarked
package sluice.formats.testing;

import org.jspecify.annotations.NullMarked;
