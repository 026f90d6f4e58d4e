package sluice.command;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Options with which the JVMs of tests, of which there are hundreds and none lives long, take a
 * third of the processor time: the first of a command that ends leaves its classes in an archive
 * for the others, and C2 is left out. The JVM ignores an archive of other jars and makes a new one.
 */
final class QuickJvm {

  private static final Path ARCHIVES =
      Path.of(System.getProperty("sluice.project"), "command", "target");

  private QuickJvm() {}

  /**
   * What a run of {@code bin/sluice} finds in its environment.
   *
   * @param arguments its own; each command loads other classes
   */
  static Map<String, String> environment(List<String> arguments) {
    String command = arguments.isEmpty() ? "" : arguments.getFirst().replaceAll("\\W", "_");
    return Map.of(
        "JAVA_HOME",
        System.getProperty("java.home"),
        "SLUICE_JAVA_OPTS",
        "-XX:TieredStopAtLevel=1 -Xlog:cds*=off -XX:+AutoCreateSharedArchive -XX:SharedArchiveFile="
            + ARCHIVES.resolve("it-" + command + ".jsa"));
  }
}
