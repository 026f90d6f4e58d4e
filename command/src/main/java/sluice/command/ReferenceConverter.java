package sluice.command;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;
import sluice.core.ImageReference;

/** Reads image references. */
final class ReferenceConverter implements ITypeConverter<ImageReference> {

  @Override
  public ImageReference convert(String text) {
    try {
      return ImageReference.parse(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
