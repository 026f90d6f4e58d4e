package sluice.formats.soci;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding.DeflateSpan;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.formats.decode.EncodingDecoder;

/** Looks at zTOCs. */
final class ZtocAssert {

  private ZtocAssert() {}

  /** That both say the same of a layer, whichever tools wrote them. */
  static void assertSameLayer(Ztoc found, Ztoc expected) throws IOException {
    assertThat(found.version()).isEqualTo(expected.version());
    assertThat(found.compressedBytes()).isEqualTo(expected.compressedBytes());
    assertThat(found.uncompressedBytes()).isEqualTo(expected.uncompressedBytes());
    assertThat(found.spanDigests()).isEqualTo(expected.spanDigests());
    assertThat(found.checkpoints().mismatch(expected.checkpoints())).isEqualTo(-1);
    assertThat(entries(found)).isEqualTo(entries(expected));
  }

  static List<ZtocEntry> entries(Ztoc ztoc) throws CorruptException {
    List<ZtocEntry> entries = new ArrayList<>();
    for (int i = 0; i < ztoc.entryCount(); i++) {
      entries.add(ztoc.entry(i));
    }
    return entries;
  }

  /** That spans follow each other, are what their digests say, and decode to the tar. */
  static void assertSpansDecode(Ztoc ztoc, byte[] blob, byte[] tar) throws IOException {
    Spans spans = ztoc.spans();
    long end = 0;
    for (int span = 0; span < spans.count(); span++) {
      ByteRange encoded = spans.encoded(span);
      ByteRange decoded = spans.decoded(span);
      assertThat(decoded.offset()).isEqualTo(end);
      byte[] bytes = Arrays.copyOfRange(blob, (int) encoded.offset(), (int) encoded.end());
      assertThat(Digest.sha256(bytes)).isEqualTo(ztoc.spanDigests().get(span));
      ByteRange window =
          spans.encoding(span) instanceof DeflateSpan deflate
              ? deflate.window()
              : new ByteRange(0, 0);
      ByteBuffer out = ByteBuffer.allocate((int) decoded.length());
      new EncodingDecoder()
          .decode(
              spans.encoding(span),
              ByteBuffer.wrap(bytes),
              ztoc.checkpoints().asSlice(window.offset(), window.length()).asByteBuffer(),
              out);
      assertThat(out.array())
          .isEqualTo(Arrays.copyOfRange(tar, (int) decoded.offset(), (int) decoded.end()));
      end = decoded.end();
    }
    assertThat(end).isEqualTo(ztoc.uncompressedBytes()).isLessThanOrEqualTo(tar.length);
  }
}
