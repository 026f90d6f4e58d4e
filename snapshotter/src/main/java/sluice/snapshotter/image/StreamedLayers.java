package sluice.snapshotter.image;

import java.nio.file.Files;
import java.nio.file.Path;
import sluice.core.Digest;

/**
 * The layers that a node streamed and keeps, for processes that do not own its library: they read,
 * and change nothing. Safe for use by many threads.
 */
public final class StreamedLayers {

  private final Path library;
  private final String format;

  /**
   * @param library the library's directory; of one that is not there, no layer is kept
   * @param format name of the format that streams
   */
  public StreamedLayers(Path library, String format) {
    this.library = library;
    this.format = format;
  }

  /**
   * Whether the tree of a layer is there that was made of the whole layer. Whether its data is
   * there, too, only the library's owner finds out.
   */
  public boolean has(Digest layer) {
    Path place = library.resolve(LayerKey.verified(format, layer).toString());
    return Files.isRegularFile(LayerRecord.tree(place));
  }
}
