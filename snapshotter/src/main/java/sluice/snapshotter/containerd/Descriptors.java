package sluice.snapshotter.containerd;

import java.io.IOException;
import java.util.List;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;

/** Descriptors as containerd's messages have them. */
final class Descriptors {

  private Descriptors() {}

  static sluice.api.containerd.types.Descriptor message(Descriptor descriptor) {
    return sluice.api.containerd.types.Descriptor.newBuilder()
        .setMediaType(descriptor.mediaType())
        .setDigest(descriptor.digest().toString())
        .setSize(descriptor.sizeBytes())
        .putAllAnnotations(descriptor.annotations())
        .build();
  }

  static Descriptor of(sluice.api.containerd.types.Descriptor message) throws IOException {
    try {
      return new Descriptor(
          message.getMediaType(),
          Digest.parse(message.getDigest()),
          message.getSize(),
          message.getAnnotationsMap(),
          List.of(),
          null,
          null);
    } catch (IllegalArgumentException e) {
      throw new CorruptException(String.valueOf(e.getMessage()), "containerd", -1);
    }
  }
}
