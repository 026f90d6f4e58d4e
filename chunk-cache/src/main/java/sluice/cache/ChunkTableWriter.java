package sluice.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.ChunkEncoding.WholeStream;
import sluice.core.CorruptException;
import sluice.core.DeviceIndex;
import sluice.core.Digest;
import sluice.core.Placement;

/**
 * Writes a {@link ChunkTable} in one pass over the chunks, after another one that counts them.
 *
 * <p>Chunks come by their first placement, the table wants all placements by their offset. So the
 * pass is a sweep over the device: chunks that have been begun and have placements left wait in a
 * queue, the one whose next placement is first at its head.
 */
final class ChunkTableWriter {
  private final String resource;
  private final TableHeader header;
  private final SectionWriter chunks;
  private final SectionWriter placements;
  private final PriorityQueue<Begun> begun = new PriorityQueue<>();
  private int chunkNumber;
  private int placementNumber;
  private long deviceEnd;

  private ChunkTableWriter(DeviceIndex index, TableHeader header, FileChannel out) {
    this.resource = "index of blob " + index.blob();
    this.header = header;
    this.chunks = new SectionWriter(out, TableHeader.BYTES);
    this.placements = new SectionWriter(out, header.placementsOffset());
  }

  /** A chunk that has placements left to write. */
  private static final class Begun implements Comparable<Begun> {
    final int number;
    final List<Placement> placements;
    final int first;
    int next;

    Begun(int number, List<Placement> placements, int first) {
      this.number = number;
      this.placements = placements;
      this.first = first;
    }

    Placement peek() {
      return placements.get(next);
    }

    @Override
    public int compareTo(Begun other) {
      return Long.compare(peek().deviceOffset(), other.peek().deviceOffset());
    }
  }

  /**
   * Writes the table of {@code index} from the start of {@code out} on.
   *
   * @throws CorruptException if chunks or placements are too many, out of order, or overlap
   */
  static void write(DeviceIndex index, FileChannel out) throws IOException {
    TableHeader header = count(index);
    ChunkTableWriter writer = new ChunkTableWriter(index, header, out);
    for (Chunk chunk : index.chunks()) {
      writer.emitBefore(chunk.deviceOffset());
      writer.begin(chunk);
    }
    writer.emitBefore(Long.MAX_VALUE);
    writer.chunks.finish();
    writer.placements.finish();
    if (writer.chunkNumber != header.chunkCount()
        || writer.placementNumber != header.placementCount()) {
      throw new IllegalArgumentException(
          writer.resource + ": its chunks changed between two reads");
    }
    SectionWriter tail = new SectionWriter(out, header.windowsOffset());
    tail.copy(index.windows());
    tail.copy(index.statements());
    tail.finish();
    SectionWriter head = new SectionWriter(out, 0);
    header.write(head.room(TableHeader.BYTES));
    head.finish();
  }

  private static TableHeader count(DeviceIndex index) throws CorruptException {
    int chunkCount = 0;
    long placementCount = 0;
    int encodedWidth = 0;
    int placementWidth = 0;
    for (Chunk chunk : index.chunks()) {
      chunkCount++;
      placementCount += chunk.placements().size();
      encodedWidth = Math.max(encodedWidth, width(chunk.encodedDigest()));
      for (Placement placement : chunk.placements()) {
        placementWidth = Math.max(placementWidth, width(placement.digest()));
      }
      if (chunkCount > TableLimits.MAX_CHUNKS || placementCount > TableLimits.MAX_PLACEMENTS) {
        throw new CorruptException(
            "index: more than %d chunks or %d placements"
                .formatted(TableLimits.MAX_CHUNKS, TableLimits.MAX_PLACEMENTS),
            "index of blob " + index.blob(),
            -1);
      }
    }
    return new TableHeader(
        index.blob(),
        index.lengthBytes(),
        chunkCount,
        (int) placementCount,
        encodedWidth,
        placementWidth,
        index.windows().byteSize(),
        index.statements().byteSize());
  }

  private static int width(@Nullable Digest digest) {
    return digest == null ? 0 : digest.algorithm().lengthBytes();
  }

  private void emitBefore(long deviceOffset) throws IOException {
    while (!begun.isEmpty() && begun.peek().peek().deviceOffset() < deviceOffset) {
      Begun chunk = begun.remove();
      if (placementNumber - chunk.first - chunk.next > TableLimits.MAX_INTERLEAVED) {
        throw strewn();
      }
      emit(chunk.peek(), chunk.number);
      chunk.next++;
      if (chunk.next < chunk.placements.size()) {
        begun.add(chunk);
      }
    }
  }

  private void begin(Chunk chunk) throws IOException {
    if (chunk.encoding() instanceof WholeStream) {
      checkStreams(chunk);
    }
    writeRecord(chunk);
    Begun entry = new Begun(chunkNumber++, chunk.placements(), placementNumber);
    emit(chunk.placements().getFirst(), entry.number);
    entry.next++;
    if (entry.next < entry.placements.size()) {
      if (begun.size() >= TableLimits.MAX_INTERLEAVED) {
        throw strewn();
      }
      begun.add(entry);
    }
  }

  private void checkStreams(Chunk chunk) throws CorruptException {
    long end = 0;
    for (Placement placement : chunk.placements()) {
      if (placement.decodedOffset() < end) {
        throw new CorruptException(
            "index: %s lies before byte %d of the stream, which came earlier in the device"
                .formatted(placement, end),
            resource,
            -1);
      }
      end = placement.decodedOffset() + placement.lengthBytes();
    }
  }

  private void writeRecord(Chunk chunk) throws IOException {
    ChunkEncoding encoding = chunk.encoding();
    ByteRange window = EncodingField.window(encoding);
    ByteBuffer out = chunks.room(header.chunkBytes());
    out.putLong(chunk.encoded().offset()).putLong(chunk.encoded().length());
    out.putLong(chunk.decodedLength());
    out.putLong(window.offset());
    out.putInt(placementNumber).putInt(chunk.placements().size());
    out.put((byte) EncodingField.code(encoding)).put((byte) EncodingField.argument(encoding));
    out.put((byte) EncodingField.bits(encoding));
    out.put((byte) DigestField.code(chunk.encodedDigest()));
    out.putInt((int) window.length());
    DigestField.put(out, chunk.encodedDigest(), header.encodedDigestBytes());
    if (header.statementsBytes() > 0) {
      out.putLong(chunk.statement().offset()).putLong(chunk.statement().length());
    } else if (chunk.statement().length() > 0) {
      throw new IllegalArgumentException(
          "%s: %s has a statement, the index none".formatted(resource, chunk.encoded()));
    }
  }

  private void emit(Placement placement, int chunk) throws IOException {
    if (placement.deviceOffset() < deviceEnd) {
      throw new CorruptException(
          "index: %s of chunk %d begins before %d, where the one before it ends"
              .formatted(placement, chunk, deviceEnd),
          resource,
          -1);
    }
    deviceEnd = placement.deviceRange().end();
    ByteBuffer out = placements.room(header.placementBytes());
    out.putLong(placement.deviceOffset()).putLong(placement.decodedOffset());
    out.putLong(placement.lengthBytes()).putInt(chunk);
    out.putInt(DigestField.code(placement.digest()));
    DigestField.put(out, placement.digest(), header.placementDigestBytes());
    placementNumber++;
  }

  private CorruptException strewn() {
    return new CorruptException(
        "index: the placements of a chunk lie more than %d others apart"
            .formatted(TableLimits.MAX_INTERLEAVED),
        resource,
        -1);
  }
}
