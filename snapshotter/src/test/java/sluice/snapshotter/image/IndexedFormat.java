package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.Path;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.IndexOrigin;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerIndex;

/** Serves the layers of a {@link FakeFormat} by an index, which never streams. */
final class IndexedFormat implements LayerFormat {

  /** What makes the trees; it may be held, and made to fail. */
  final FakeFormat maker = new FakeFormat("fake");

  private final Binding binding;
  private volatile boolean there = true;

  IndexedFormat(Binding binding) {
    this.binding = binding;
  }

  /** Says whether layers have an index from now on. */
  void there(boolean is) {
    there = is;
  }

  /** The index of every layer. */
  static Digest index() {
    return FakeRegistry.diffId(FakeRegistry.layer("none", "index"));
  }

  @Override
  public String name() {
    return "indexed";
  }

  @Override
  public Recognition recognise(Layer layer, IndexTrust trust) {
    return there && maker.recognise(layer, trust) instanceof Recognition.Tree(var indexer, var _)
        ? new Recognition.Tree(
            new NotStreaming(indexer), new IndexOrigin(binding, "here", 0, index()))
        : new Recognition.Foreign();
  }

  private record NotStreaming(Indexer indexer) implements Indexer {
    @Override
    public boolean streams() {
      return false;
    }

    @Override
    public LayerIndex index(Path metadataImage, DeviceStore devices)
        throws IOException, InterruptedException {
      return indexer.index(metadataImage, devices);
    }
  }
}
