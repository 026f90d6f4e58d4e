package sluice.formats.tar;

import sluice.core.IndexOrigin;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.RangeSource;
import sluice.erofs.TreeRoom;
import sluice.formats.record.LayerRecorder;

/**
 * Ordinary layers: tar, tar+gzip and tar+zstd of OCI and Docker, also the nondistributable
 * (foreign) ones. Each layer is streamed whole; a layer that also has an index of another format is
 * ordinary too, so other formats are asked first. Safe for use by many threads.
 */
public final class TarFormat implements LayerFormat {

  private final RangeSource source;
  private final LayerRecorder recorder;
  private final TreeRoom.Turn turn;

  /**
   * @param source gives the layers' blobs
   */
  public TarFormat(RangeSource source) {
    this(source, LayerRecorder.NONE);
  }

  /**
   * @param source gives the layers' blobs
   * @param recorder may make indexes of the layers as they stream
   */
  public TarFormat(RangeSource source, LayerRecorder recorder) {
    this(source, recorder, TreeRoom.Turn.KEEPS);
  }

  private TarFormat(RangeSource source, LayerRecorder recorder, TreeRoom.Turn turn) {
    this.source = source;
    this.recorder = recorder;
    this.turn = turn;
  }

  /**
   * One for whom nobody waits: a large layer fails as soon as somebody else's needs its room.
   *
   * @param source gives the layers' blobs
   */
  public static TarFormat inBackground(RangeSource source) {
    return new TarFormat(source, LayerRecorder.NONE, TreeRoom.Turn.YIELDS);
  }

  @Override
  public String name() {
    return "tar";
  }

  @Override
  public Recognition recognise(Layer layer, IndexTrust trust) {
    String mediaType = layer.descriptor().mediaType();
    return TarMediaType.parse(mediaType)
        .<Recognition>map(type ->
            type.known()
                ? new Recognition.Tree(
                    new TarIndexer(source, layer, type, recorder, turn),
                    IndexOrigin.ofLayer("the whole layer", layer.descriptor().sizeBytes()))
                : new Recognition.Refused(
                    "a layer of media type " + mediaType + " cannot be decoded"))
        .orElseGet(Recognition.Foreign::new);
  }
}
