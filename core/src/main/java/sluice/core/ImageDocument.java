package sluice.core;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a tag or a manifest digest leads to: an index of manifests, or one manifest. */
public sealed interface ImageDocument {

  /** {@code application/vnd.oci.image.index.v1+json} or Docker's manifest list. */
  record Index(List<Descriptor> manifests, Map<String, String> annotations)
      implements ImageDocument {
    public Index {
      manifests = List.copyOf(manifests);
      annotations = Map.copyOf(annotations);
    }
  }

  /**
   * {@code application/vnd.oci.image.manifest.v1+json} or Docker's manifest, schema 2.
   *
   * @param layers lowest first
   * @param subject the manifest that this one refers to, if it is a referrer
   */
  record Manifest(
      Descriptor config,
      List<Descriptor> layers,
      Map<String, String> annotations,
      @Nullable Descriptor subject,
      @Nullable String artifactType)
      implements ImageDocument {
    public Manifest {
      layers = List.copyOf(layers);
      annotations = Map.copyOf(annotations);
    }
  }
}
