package sluice.formats.toc;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.LayerFormat;
import sluice.core.Repository;

/** Layers with TOCs that nobody's tool wrote. */
public final class TocLayers {

  private static final Repository REPOSITORY = new Repository.InLayout(Path.of("/nowhere"));

  private TocLayers() {}

  /** The gzip member of an eStargz TOC. */
  public static byte[] gzippedTar(String toc) {
    return gzippedTar("stargz.index.json", toc.length(), toc.getBytes(UTF_8));
  }

  /** A gzip member with a tar entry of this name and of the size that its header says. */
  public static byte[] gzippedTar(String name, long size, byte[] content) {
    byte[] header = new byte[512];
    System.arraycopy(name.getBytes(US_ASCII), 0, header, 0, name.length());
    System.arraycopy("%011o".formatted(size).getBytes(US_ASCII), 0, header, 124, 11);
    header[156] = '0';
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(header);
      gzip.write(content);
      gzip.write(new byte[1024]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  /** The parts one behind the other. */
  public static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  /** The only layer of an image, with annotations. */
  public static LayerFormat.Layer layer(
      String mediaType, byte[] blob, Map<String, String> annotations) {
    Descriptor descriptor =
        new Descriptor(
            mediaType, Digest.sha256(blob), blob.length, annotations, List.of(), null, null);
    return layer(descriptor);
  }

  /** The only layer of an image. */
  public static LayerFormat.Layer layer(Descriptor descriptor) {
    return new LayerFormat.Layer(
        new LayerFormat.Image(
            new ImageReference(REPOSITORY, null, descriptor.digest()),
            descriptor.digest(),
            new ImageDocument.Manifest(descriptor, List.of(descriptor), Map.of(), null, null)),
        0,
        descriptor.digest(),
        Set.of(REPOSITORY));
  }
}
