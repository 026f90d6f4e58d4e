package sluice.formats.soci;

import java.util.ArrayList;
import java.util.List;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;
import sluice.core.Digest;

/**
 * A span, for people to look at.
 *
 * @param blob what of the blob its digest covers
 * @param tar what of the tar stream it decodes to
 * @param checkpoint whether a decoder needs to be told how to begin there
 */
public record ZtocSpan(ByteRange blob, ByteRange tar, boolean checkpoint, Digest digest) {

  /**
   * All spans of a zTOC.
   *
   * @throws CorruptException if they are not as they must be
   */
  public static List<ZtocSpan> of(Ztoc ztoc) throws CorruptException {
    Spans spans = ztoc.spans();
    List<Digest> digests = ztoc.spanDigests();
    List<ZtocSpan> all = new ArrayList<>();
    for (int span = 0; span < spans.count(); span++) {
      all.add(
          new ZtocSpan(
              spans.encoded(span),
              spans.decoded(span),
              spans.encoding(span) instanceof ChunkEncoding.DeflateSpan,
              digests.get(span)));
    }
    return all;
  }
}
