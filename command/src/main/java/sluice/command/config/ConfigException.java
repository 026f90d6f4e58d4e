package sluice.command.config;

import java.io.IOException;

/**
 * The configuration file cannot be used; the message names the file, the key, and what it takes.
 */
public final class ConfigException extends IOException {
  private static final long serialVersionUID = 1L;

  public ConfigException(String message) {
    super(message);
  }
}
