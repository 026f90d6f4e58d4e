package sluice.command;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;
import sluice.core.Platform;

/** Reads {@code os/architecture[/variant]}. */
final class PlatformConverter implements ITypeConverter<Platform> {

  @Override
  public Platform convert(String text) {
    try {
      return Platform.parse(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
