package sluice.formats.toc;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.formats.stream.LayerStream;

/**
 * A TOC that was fetched; decodes and parses it in one pass, and compares it with its digests. For
 * one thread; owns what was fetched.
 */
final class TocReader implements AutoCloseable {

  /** Also the longest TOC that is not put to disk: many may wait for room to be parsed. */
  private static final int BUFFER_BYTES = 64 * 1024;

  private final TocPlace place;
  private final String resource;
  private final DigestInputStream encoded;

  private TocReader(TocPlace place, InputStream fetched, String resource) {
    this.place = place;
    this.resource = resource;
    this.encoded = new DigestInputStream(fetched, Digest.sha256());
  }

  /**
   * Fetches all of a TOC, so that who has room for what it becomes waits for no registry.
   *
   * @param scratch an existing directory; what is put there is gone when the result is closed
   * @throws CorruptException if it is too long
   */
  static TocReader fetch(TocPlace place, BlobReads blob, Path scratch, String resource)
      throws IOException {
    if (place.range().length() > TocLimits.MAX_ENCODED_BYTES) {
      throw new CorruptException(
          "TOC: %d encoded bytes, at most %d"
              .formatted(place.range().length(), TocLimits.MAX_ENCODED_BYTES),
          resource,
          place.range().offset());
    }
    InputStream fetched = new RangeInput(blob, place.range(), place.tail());
    boolean small = place.range().length() <= BUFFER_BYTES;
    return new TocReader(
        place,
        small ? new ByteArrayInputStream(fetched.readAllBytes()) : spooled(fetched, scratch),
        resource);
  }

  private static InputStream spooled(InputStream fetched, Path scratch) throws IOException {
    Path file = Files.createTempFile(scratch, "toc", "");
    try (OutputStream spool = Files.newOutputStream(file)) {
      fetched.transferTo(spool);
    } catch (IOException | RuntimeException e) {
      Files.delete(file);
      throw e;
    }
    return new BufferedInputStream(
        Files.newInputStream(file, StandardOpenOption.DELETE_ON_CLOSE), BUFFER_BYTES);
  }

  /**
   * Parses it into {@code sink}, once. What the sink got counts only if this returns.
   *
   * @throws CorruptException if it is no TOC, and its digests hold
   * @throws UnverifiedException if they do not hold, or nobody can tell
   */
  void read(TocParser.Sink sink) throws IOException, UnverifiedException {
    CorruptException problem = null;
    MessageDigest hash = null;
    StreamCompression compression =
        switch (place.packing()) {
          case GZIPPED_TAR -> StreamCompression.GZIP;
          case ZSTD -> StreamCompression.ZSTD;
        };
    try (InputStream decoded =
        new BufferedInputStream(LayerStream.open(compression, encoded, resource), BUFFER_BYTES)) {
      Parsed parsed = parse(decoded, sink);
      problem = parsed.problem;
      hash = parsed.hash;
      if (place.encodedDigest() != null) {
        drain(encoded);
      }
    }
    verify(problem, hash);
  }

  /**
   * What parsing led to.
   *
   * @param problem why the TOC is none; null if it is one
   * @param hash of the whole JSON; null if not all of it can be decoded
   */
  private record Parsed(@Nullable CorruptException problem, @Nullable MessageDigest hash) {}

  private Parsed parse(InputStream decoded, TocParser.Sink sink) throws IOException {
    CorruptException problem = null;
    try {
      long length = length(decoded);
      LimitedInput limited = new LimitedInput(decoded, length, resource);
      DigestInputStream toc = new DigestInputStream(limited, Digest.sha256());
      try {
        TocParser.parse(toc, resource, sink);
      } catch (CorruptException e) {
        problem = e;
      }
      drain(toc);
      return new Parsed(problem, toc.getMessageDigest());
    } catch (CorruptException e) {
      return new Parsed(problem == null ? e : problem, null);
    }
  }

  /** Length of the JSON; it begins at the stream's position then. */
  private long length(InputStream decoded) throws IOException {
    long length =
        switch (place.packing()) {
          case GZIPPED_TAR -> TocTar.open(decoded, resource, place.range().offset());
          case ZSTD -> place.decodedBytes();
        };
    if (length < 0 || length > TocLimits.MAX_TOC_BYTES) {
      throw new CorruptException(
          "TOC: %d bytes, at most %d".formatted(length, TocLimits.MAX_TOC_BYTES),
          resource,
          place.range().offset());
    }
    return length;
  }

  @Override
  public void close() throws IOException {
    encoded.close();
  }

  private void verify(@Nullable CorruptException problem, @Nullable MessageDigest hash)
      throws CorruptException, UnverifiedException {
    Digest encodedDigest = place.encodedDigest();
    if (encodedDigest != null) {
      verify("digest of the encoded TOC", encodedDigest, encoded.getMessageDigest());
    }
    Digest tocDigest = place.tocDigest();
    if (tocDigest != null && hash != null) {
      verify("TOC digest", tocDigest, hash);
    }
    if (problem != null) {
      if (encodedDigest == null && hash == null) {
        throw new UnverifiedException(problem);
      }
      throw problem;
    }
  }

  private void verify(String what, Digest expected, MessageDigest hash) throws UnverifiedException {
    Digest found = Digest.of(Digest.Algorithm.SHA256, hash.digest());
    if (!found.equals(expected)) {
      throw new UnverifiedException(
          new CorruptException(
              "%s: found %s, expected %s".formatted(what, found, expected),
              resource,
              place.range().offset()));
    }
  }

  private static void drain(InputStream in) throws IOException {
    in.transferTo(OutputStream.nullOutputStream());
  }
}
