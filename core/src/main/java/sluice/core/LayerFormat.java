package sluice.core;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * A layer format: recognises its layers and turns them into an index. Safe for use by many threads.
 */
public interface LayerFormat {

  /** The format's name as users know it, for example {@code rafs}. */
  String name();

  /**
   * Whether an index of images says that a manifest holds its image in this format, beside a
   * manifest that holds it in ordinary layers.
   */
  default boolean isVariant(Descriptor manifest) {
    return false;
  }

  /**
   * What the descriptor alone says that a layer is in an image of this format that has one tree for
   * all of its layers; empty if it says nothing of the kind.
   */
  default Optional<ImagePart> imagePart(Descriptor layer) {
    return Optional.empty();
  }

  /** A part of an image that has one tree for all of its layers. */
  enum ImagePart {
    /** Data for the tree in a layer above it. */
    DATA,
    /** The tree; what the layer unpacks to is none of the image's files. */
    TREE
  }

  /** What this format's indexes do not say of a layer. */
  default Fidelity fidelity() {
    return Fidelity.EXACT;
  }

  /**
   * Says what this format makes of a layer, and asks for no more than that needs: first by
   * descriptor, manifest and {@code trust}, then by documents, and last by parts of the blob.
   *
   * @throws FetchException if a document that the manifest promises cannot be had; what only may be
   *     there, and is not, makes a layer {@link Recognition.Foreign}
   */
  Recognition recognise(Layer layer, IndexTrust trust) throws IOException, InterruptedException;

  /**
   * An image as its layers see it.
   *
   * @param reference by what name it was asked for
   * @param digest digest of the manifest
   */
  record Image(ImageReference reference, Digest digest, ImageDocument.Manifest manifest) {}

  /**
   * One layer in its image.
   *
   * @param position its place in {@link ImageDocument.Manifest#layers}
   * @param diffId what the image's configuration says of it
   * @param holders repositories that hold its blob
   */
  record Layer(Image image, int position, Digest diffId, Set<Repository> holders) {
    public Layer {
      holders = Set.copyOf(holders);
    }

    public ImageDocument.Manifest manifest() {
      return image.manifest();
    }

    public Descriptor descriptor() {
      return manifest().layers().get(position);
    }
  }

  /** What a format makes of a layer. */
  sealed interface Recognition {
    /** Not a layer of this format. */
    record Foreign() implements Recognition {}

    /** A layer of this format that cannot be served from its index, and why. */
    record Refused(String reason) implements Recognition {}

    /** The layer's own tree can be had. */
    record Tree(Indexer indexer, IndexOrigin origin) implements Recognition {}

    /** The layer holds the merged tree of the whole image, itself the topmost. */
    record ImageTree(Indexer indexer, IndexOrigin origin) implements Recognition {}

    /**
     * The layer holds only data for an {@link ImageTree} above it. Its diff ID is its digest, which
     * is so of every uncompressed tar as well.
     */
    record DataOnly() implements Recognition {}
  }

  /** Makes the index of one layer. For one thread, once. */
  interface Indexer {

    /** Whether the whole blob must be streamed for it, so that whoever waits should know. */
    boolean streams();

    /**
     * Fetches the index, verifies it, adds its devices to {@code devices} and writes the tree to
     * {@code metadataImage}, a file that does not exist yet.
     *
     * @throws CorruptException if the layer breaks its format or its digests
     * @throws FetchException if no repository gives it
     */
    LayerIndex index(Path metadataImage, DeviceStore devices)
        throws IOException, InterruptedException;
  }
}
