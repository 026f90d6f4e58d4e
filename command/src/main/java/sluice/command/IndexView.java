package sluice.command;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import sluice.core.ByteRange;
import sluice.core.Digest;
import sluice.core.ImageReference;
import sluice.core.Repository;
import sluice.formats.soci.ListedIndex;
import sluice.formats.soci.Ztoc;
import sluice.formats.soci.ZtocEntry;
import sluice.formats.soci.ZtocSpan;

/**
 * What an index says, for people and for scripts.
 *
 * @param limit how many spans and entries of each layer are listed
 */
record IndexView(
    ImageReference image, ListedIndex index, Repository from, List<Layer> layers, int limit) {

  private static final String ROW = "%-71s  %10s  %10s  %6s  %11s  %8s  %10s";
  private static final String SPAN_ROW = "%6s  %21s  %21s  %s";

  IndexView {
    layers = List.copyOf(layers);
  }

  /** The zTOC of a layer. */
  record Layer(Digest digest, long ztocBytes, Ztoc ztoc, List<ZtocSpan> spans) {
    Layer {
      spans = List.copyOf(spans);
    }

    long checkpoints() {
      return spans.stream().filter(ZtocSpan::checkpoint).count();
    }
  }

  static Layer layer(ListedIndex.OfLayer of, Ztoc ztoc) throws IOException {
    return new Layer(of.layer(), of.ztoc().sizeBytes(), ztoc, ZtocSpan.of(ztoc));
  }

  String text() throws IOException {
    List<String> lines = new ArrayList<>();
    lines.add("image  " + image);
    lines.add(
        "index  %s  %s  \"%s\"  from %s"
            .formatted(index.manifest(), index.version(), index.tool(), from));
    lines.add("");
    lines.add(ROW.formatted("LAYER", "BLOB", "TAR", "SPANS", "CHECKPOINTS", "ENTRIES", "ZTOC"));
    for (Layer layer : layers) {
      lines.add(
          ROW.formatted(
              layer.digest,
              Sizes.text(layer.ztoc.compressedBytes()),
              Sizes.text(layer.ztoc.uncompressedBytes()),
              layer.spans.size(),
              layer.checkpoints(),
              layer.ztoc.entryCount(),
              Sizes.text(layer.ztocBytes)));
    }
    if (limit > 0) {
      for (Layer layer : layers) {
        addDetails(lines, layer);
      }
    }
    return String.join(System.lineSeparator(), lines);
  }

  private void addDetails(List<String> lines, Layer layer) throws IOException {
    lines.add("");
    lines.add(SPAN_ROW.formatted("SPAN", "BLOB", "TAR", "DIGEST"));
    List<ZtocSpan> spans = layer.spans;
    for (int span = 0; span < Math.min(limit, spans.size()); span++) {
      ZtocSpan of = spans.get(span);
      lines.add(SPAN_ROW.formatted(span, range(of.blob()), range(of.tar()), of.digest()));
    }
    lines.add("");
    for (int entry = 0; entry < Math.min(limit, layer.ztoc.entryCount()); entry++) {
      ZtocEntry of = layer.ztoc.entry(entry);
      lines.add(
          "%06o %10d:%-10d %12d  %s"
              .formatted(of.mode(), of.uid(), of.gid(), of.size(), printable(of)));
    }
    int left = layer.ztoc.entryCount() - limit;
    if (left > 0) {
      lines.add("... and %d more entries: --limit".formatted(left));
    }
  }

  private static String range(ByteRange range) {
    return range.offset() + "+" + range.length();
  }

  /** Names of entries are bytes of somebody else's: no control characters reach a terminal. */
  private static String printable(ZtocEntry entry) {
    return entry.name().toString().replaceAll("\\p{Cntrl}", "?");
  }

  /** The keys that scripts rely on; sizes in bytes. */
  Json json() throws IOException {
    List<Object> all = new ArrayList<>();
    for (Layer layer : layers) {
      all.add(json(layer));
    }
    return new Json()
        .with("image", image.toString())
        .with("index", index.manifest().toString())
        .with("version", index.version())
        .with("tool", index.tool())
        .with("from", from.toString())
        .with("layers", all);
  }

  private Map<String, Object> json(Layer layer) throws IOException {
    List<Object> spans = new ArrayList<>();
    for (ZtocSpan span : layer.spans.subList(0, Math.min(limit, layer.spans.size()))) {
      spans.add(
          new Json()
              .with("blobOffset", span.blob().offset())
              .with("blobBytes", span.blob().length())
              .with("tarOffset", span.tar().offset())
              .with("tarBytes", span.tar().length())
              .with("checkpoint", span.checkpoint())
              .with("digest", span.digest().toString())
              .members());
    }
    List<Object> entries = new ArrayList<>();
    for (int entry = 0; entry < Math.min(limit, layer.ztoc.entryCount()); entry++) {
      ZtocEntry of = layer.ztoc.entry(entry);
      entries.add(
          new Json()
              .with("name", of.name().toString())
              .with("mode", of.mode())
              .with("uid", of.uid())
              .with("gid", of.gid())
              .with("sizeBytes", of.size())
              .with("dataOffset", of.dataOffset())
              .members());
    }
    return new Json()
        .with("layer", layer.digest.toString())
        .with("blobBytes", layer.ztoc.compressedBytes())
        .with("tarBytes", layer.ztoc.uncompressedBytes())
        .with("ztocBytes", layer.ztocBytes)
        .with("spanCount", layer.spans.size())
        .with("checkpoints", layer.checkpoints())
        .with("entryCount", layer.ztoc.entryCount())
        .with("spans", spans)
        .with("entries", entries)
        .members();
  }
}
