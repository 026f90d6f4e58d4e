package sluice.formats.soci;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.testing.Fixtures;

/** The zTOCs that SOCI's own tool made of the fixtures. */
final class ZtocFixtures {

  static final String V2 = "soci2";

  private ZtocFixtures() {}

  /** A zTOC and the layer that it is of. */
  record Of(Fixtures fixtures, Descriptor ztoc, Digest layer) {
    MemorySegment bytes() throws IOException {
      return MemorySegment.ofArray(Files.readAllBytes(fixtures.blob(ztoc.digest())));
    }

    byte[] blob() throws IOException {
      return Files.readAllBytes(fixtures.blob(layer));
    }

    Ztoc open() throws IOException {
      return Ztoc.open(bytes(), toString());
    }

    @Override
    public String toString() {
      return fixtures + " " + ztoc.digest();
    }
  }

  /** Images that have an index. */
  static List<String> images() {
    return Fixtures.IMAGES.stream()
        .filter(image -> Fixtures.of(image).tags().containsKey(V2))
        .toList();
  }

  /** All zTOCs of the indexes of version 2. */
  static List<Of> all() {
    List<Of> all = new ArrayList<>();
    for (String image : images()) {
      Fixtures fixtures = Fixtures.of(image);
      ImageDocument.Manifest index = fixtures.listed(V2).getLast();
      for (Descriptor layer : index.layers()) {
        if (layer.mediaType().equals("application/octet-stream")) {
          String of = layer.annotations().getOrDefault("com.amazon.soci.image-layer-digest", "");
          all.add(new Of(fixtures, layer, Digest.parse(of)));
        }
      }
    }
    return all;
  }
}
