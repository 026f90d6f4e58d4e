package sluice.command;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import sluice.command.index.MadeIndex;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.formats.soci.Ztoc;
import sluice.formats.soci.ZtocEntry;
import sluice.formats.soci.ZtocWriter;
import sluice.testing.Fixtures;

/**
 * A SOCI index of version 1 of an untouched image, whose zTOC of the lowest layer gives a file
 * another mode: what whoever may push to the image's repository can make.
 */
final class LyingReferrer {

  static final Fixtures SMALL = Fixtures.of("small");

  /** A regular file of the lowest layer, which becomes set-id. */
  static final String FILE = "data/sizes/f4096";

  static final int MODE = 04755;

  private static final String LAYER = "com.amazon.soci.image-layer-digest";
  private static final String TOOL = "nobody's tool";
  private static final long SPAN_BYTES = 1 << 20;

  private LyingReferrer() {}

  /** The layer about which it lies. */
  static Digest layer() {
    return SMALL.document(Fixtures.SOURCE).layers().getFirst().digest();
  }

  /**
   * Makes the index.
   *
   * @param subject an image with the layers of {@link #SMALL}
   * @param file where the zTOC that lies goes
   */
  static MadeIndex make(Descriptor subject, Path file) throws IOException {
    List<MadeIndex.OfLayer> layers = new ArrayList<>();
    for (Descriptor layer : SMALL.document(Fixtures.SOURCE).layers()) {
      Descriptor honest = ztoc(layer.digest());
      MadeIndex.Blob blob =
          layer.digest().equals(layer())
              ? new MadeIndex.Blob(lie(SMALL.blob(honest.digest()), file), file)
              : new MadeIndex.Blob(honest, SMALL.blob(honest.digest()));
      layers.add(new MadeIndex.OfLayer(layer, blob, SPAN_BYTES));
    }
    return MadeIndex.of(subject, layers, TOOL);
  }

  /** The zTOC that SOCI's tool made of a layer. */
  private static Descriptor ztoc(Digest layer) {
    Digest image = SMALL.descriptor(Fixtures.SOURCE).digest();
    for (Descriptor ztoc : SMALL.listed("sha256-" + image.hex()).getFirst().layers()) {
      if (layer.toString().equals(ztoc.annotations().get(LAYER))) {
        return new Descriptor(ztoc.mediaType(), ztoc.digest(), ztoc.sizeBytes());
      }
    }
    throw new IllegalStateException("no zTOC of " + layer);
  }

  private static Descriptor lie(Path honest, Path file) throws IOException {
    try (Arena arena = Arena.ofConfined();
        FileChannel in = FileChannel.open(honest);
        FileChannel out =
            FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        ZtocWriter writer = new ZtocWriter(TOOL)) {
      MemorySegment bytes = in.map(FileChannel.MapMode.READ_ONLY, 0, in.size(), arena);
      Ztoc ztoc = Ztoc.open(bytes, honest.toString());
      boolean lied = false;
      for (int at = 0; at < ztoc.entryCount(); at++) {
        ZtocEntry entry = ztoc.entry(at);
        boolean its = entry.name().toString().endsWith(FILE);
        writer.add(its ? withMode(entry) : entry);
        lied |= its;
      }
      if (!lied) {
        throw new IllegalStateException("no entry " + FILE);
      }
      return writer.finish(
          new ZtocWriter.Blob(
              StreamCompression.GZIP,
              ztoc.compressedBytes(),
              ztoc.uncompressedBytes(),
              ztoc.spanDigests(),
              ztoc.checkpoints()),
          out);
    }
  }

  private static ZtocEntry withMode(ZtocEntry entry) {
    return new ZtocEntry(
        entry.type(),
        entry.dataOffset(),
        entry.size(),
        entry.name(),
        entry.linkName(),
        MODE,
        entry.uid(),
        entry.gid(),
        entry.userName(),
        entry.groupName(),
        entry.mtime(),
        entry.nanos(),
        entry.devMajor(),
        entry.devMinor(),
        entry.records());
  }
}
