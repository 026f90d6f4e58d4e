package sluice.erofs;

import java.io.IOException;
import java.util.Optional;
import sluice.core.Bytes;

/** The directories of layers that stay below merged ones. */
@FunctionalInterface
public interface DirectoriesBelow {

  /**
   * The attributes of a directory as those layers show it.
   *
   * @param path clean; the empty path is the root
   * @return empty if there is no directory of that path
   */
  Optional<Attributes> attributes(Bytes path) throws IOException;
}
