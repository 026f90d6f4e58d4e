package sluice.cache;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import sluice.cache.FetchScheduler.Permit;
import sluice.core.ChunkDecoder;
import sluice.core.ChunkEncoding.WholeStream;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.core.Lane;

/**
 * Brings a chunk that is a whole blob: streams it through the decoder and writes its placements as
 * they pass. Only when the blob's digest has matched is the chunk present; what was written before
 * a failure is made a hole again, and is never read.
 */
final class StreamFetch implements Fetch {
  private static final int PIECE_BYTES = 256 << 10;

  private final FetchContext context;
  private final ChunkDecoder decoder;
  private final Flight flight;
  private final ChunkTable table;
  private final AtomicBoolean sent = new AtomicBoolean();

  StreamFetch(FetchContext context, ChunkDecoder decoder, Flight flight) {
    this.context = context;
    this.decoder = decoder;
    this.flight = flight;
    this.table = flight.table();
  }

  @Override
  public List<Flight> flights() {
    return List.of(flight);
  }

  /** Platform threads: the decoder may pin its thread, and the data is written by it, too. */
  @Override
  public ExecutorService threads() {
    return context.threads().streams();
  }

  @Override
  public void send(Lane lane) {
    try (Permit _ = context.scheduler().acquire(flight.device().hosts(), lane, 2L * PIECE_BYTES)) {
      if (sent.compareAndSet(false, true) && !context.abandoned(flights())) {
        run(lane);
      }
    } catch (InterruptedException e) {
      if (sent.compareAndSet(false, true)) {
        context.failed(flight, e);
      }
    }
  }

  private void run(Lane lane) {
    try {
      context.listener().stored(stream(lane));
      context.landed(flight);
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      context.failed(flight, e);
    }
  }

  private long stream(Lane lane) throws IOException, InterruptedException {
    CacheDevice device = flight.device();
    int losses = device.presence().losses();
    long start = System.nanoTime();
    MessageDigest hasher = hasher();
    BoundedInput bounded = null;
    long bytes;
    context.listener().fetchBegan(lane);
    try (FileChannel data = FileChannel.open(device.file(), StandardOpenOption.WRITE)) {
      bounded = new BoundedInput(context.source().open(table.blob(), device.holders(), lane));
      try (InputStream decoded =
          decoder.decode(encoding(), new DigestInputStream(bounded, hasher))) {
        bytes = writeAll(decoded, data);
      }
      verify(hasher);
    } catch (IOException | RuntimeException e) {
      makeHole(e);
      if (e instanceof CorruptException) {
        context.rejected(device, 0);
      }
      throw e;
    } finally {
      context
          .listener()
          .fetchEnded(
              lane,
              bounded == null ? 0 : bounded.count,
              Duration.ofNanos(System.nanoTime() - start));
    }
    CacheThreads.on(
        context.threads().disk(),
        () -> {
          context.store().mark(device, flight.chunk(), losses, bytes);
          return null;
        });
    return bytes;
  }

  private WholeStream encoding() {
    return (WholeStream) table.encoding(flight.chunk());
  }

  private long writeAll(InputStream decoded, FileChannel data) throws IOException {
    ByteBuffer piece = ByteBuffer.wrap(new byte[PIECE_BYTES]);
    long at = 0;
    long bytes = 0;
    int placement = table.firstPlacement(flight.chunk());
    for (int left = table.placementCount(flight.chunk()); left > 0; left--) {
      skip(decoded, at, table.decodedOffset(placement), piece);
      at = table.decodedOffset(placement);
      long length = table.lengthBytes(placement);
      for (long done = 0; done < length; done += piece.limit()) {
        piece.clear().limit((int) Math.min(PIECE_BYTES, length - done));
        fill(decoded, piece, at + done);
        write(data, piece, table.deviceOffset(placement) + done);
      }
      at += length;
      bytes += length;
      placement = left > 1 ? table.nextPlacement(placement) : placement;
    }
    // The digest needs the rest: the end of a tar stream, and what follows it.
    decoded.transferTo(OutputStream.nullOutputStream());
    return bytes;
  }

  private void skip(InputStream decoded, long from, long to, ByteBuffer piece) throws IOException {
    if (to < from) {
      throw ChunkVerifier.corrupt(
          table, flight.chunk(), "a placement at decoded byte %d comes too late".formatted(to));
    }
    for (long at = from; at < to; at += piece.limit()) {
      piece.clear().limit((int) Math.min(PIECE_BYTES, to - at));
      fill(decoded, piece, at);
    }
  }

  private void fill(InputStream decoded, ByteBuffer piece, long at) throws IOException {
    int count = decoded.readNBytes(piece.array(), piece.arrayOffset(), piece.limit());
    if (count < piece.limit()) {
      throw ChunkVerifier.corrupt(
          table, flight.chunk(), "the stream ends after %d decoded bytes".formatted(at + count));
    }
  }

  private void write(FileChannel data, ByteBuffer piece, long offset) throws IOException {
    try {
      Disk.write(data, piece, offset);
    } catch (IOException e) {
      throw context.store().explain(flight.device(), flight.chunk(), e);
    }
  }

  private void verify(MessageDigest hasher) throws CorruptException {
    Digest expected = expected();
    byte[] found = hasher.digest();
    if (!expected.matches(found)) {
      throw ChunkVerifier.corrupt(
          table,
          flight.chunk(),
          "%s expected, %s found".formatted(expected, Digest.of(expected.algorithm(), found)));
    }
  }

  private Digest expected() {
    Digest digest = table.encodedDigest(flight.chunk());
    if (digest == null) {
      throw new IllegalStateException(flight + " has no digest, which its table's checks demand");
    }
    return digest;
  }

  private MessageDigest hasher() {
    String name =
        switch (expected().algorithm()) {
          case SHA256 -> "SHA-256";
          case SHA512 -> "SHA-512";
          case BLAKE3 ->
              throw new IllegalStateException(flight + " has BLAKE3, which its checks refuse");
        };
    try {
      return MessageDigest.getInstance(name);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("each JDK has " + name, e);
    }
  }

  private void makeHole(Exception cause) {
    CacheDevice device = flight.device();
    try {
      device
          .presence()
          .ifEmpty(() -> {
            DeviceFiles.setLength(device.file(), 0);
            DeviceFiles.setLength(device.file(), device.lengthBytes());
          });
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  /** Ends a stream that is longer than the blob. */
  private final class BoundedInput extends FilterInputStream {
    long count;

    BoundedInput(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int value = in.read();
      count(value < 0 ? 0 : 1);
      return value;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int read = in.read(bytes, offset, length);
      count(Math.max(0, read));
      return read;
    }

    private void count(int read) throws CorruptException {
      count += read;
      if (count > table.encodedLength(flight.chunk())) {
        throw ChunkVerifier.corrupt(table, flight.chunk(), "more bytes came");
      }
    }
  }
}
