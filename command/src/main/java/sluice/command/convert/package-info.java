/**
 * The work of {@code sluice convert}: an {@link sluice.command.convert.ImageConversion} makes RAFS
 * v6 of one image and pushes it; its {@link sluice.command.convert.ConversionProgress} is told how
 * far it is.
 */
@NullMarked
package sluice.command.convert;

import org.jspecify.annotations.NullMarked;
