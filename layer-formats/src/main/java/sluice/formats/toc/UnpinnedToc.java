package sluice.formats.toc;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import sluice.core.ByteRange;
import sluice.core.CorruptException;
import sluice.core.Digest;

/** A TOC that no annotation names, so that it must be fetched to say which one it is. */
public final class UnpinnedToc {

  private UnpinnedToc() {}

  /**
   * The digest of an encoded TOC, and its bytes unless they are many.
   *
   * @param digest over the range
   * @param tail what of the blob's end need not be fetched again
   */
  public record Found(Digest digest, BlobTail tail) {}

  /**
   * Fetches the range of a TOC.
   *
   * @param range ends where the blob does, but for the footer
   * @param tail the footer
   * @throws CorruptException if the range is longer than any TOC
   */
  public static Found fetch(BlobReads blob, ByteRange range, BlobTail tail, String resource)
      throws IOException, InterruptedException {
    if (range.length() > TocLimits.MAX_ENCODED_BYTES) {
      throw new CorruptException(
          "TOC: %d encoded bytes, at most %d"
              .formatted(range.length(), TocLimits.MAX_ENCODED_BYTES),
          resource,
          range.offset());
    }
    try (InputStream toc = new RangeInput(blob, range, tail)) {
      if (range.length() <= TocLimits.MAX_KEPT_BYTES) {
        byte[] bytes = toc.readAllBytes();
        return new Found(Digest.sha256(bytes), new BlobTail(range.offset(), bytes));
      }
      MessageDigest hash = Digest.sha256();
      new DigestInputStream(toc, hash).transferTo(OutputStream.nullOutputStream());
      return new Found(Digest.of(Digest.Algorithm.SHA256, hash.digest()), BlobTail.NONE);
    } catch (InterruptedIOException e) {
      throw RangeInput.interrupted(e);
    }
  }
}
