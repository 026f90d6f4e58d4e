package sluice.command;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;
import sluice.command.config.Config;

/** Sets how much is logged; {@code logback.xml} says how. */
final class Logging {

  private Logging() {}

  static void configure(Config.LogLevel level) {
    if (LoggerFactory.getLogger("sluice") instanceof Logger logger) {
      logger.setLevel(Level.valueOf(level.name()));
    }
  }
}
