package sluice.formats.tar;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.formats.record.Recording;

/**
 * Passes a blob on, hashes and records it, and makes sure that it has the length that its
 * descriptor says.
 */
final class LayerHasher extends FilterInputStream {

  private final Descriptor descriptor;
  private final String resource;
  private final MessageDigest hash;
  private final Recording recording;
  private long bytes;

  LayerHasher(InputStream blob, Descriptor descriptor, Recording recording, String resource) {
    super(blob);
    this.descriptor = descriptor;
    this.recording = recording;
    this.resource = resource;
    this.hash = Digest.hasher(descriptor.digest().algorithm());
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    int read = super.read(into, offset, length);
    if (read > 0) {
      bytes += read;
      hash.update(into, offset, read);
    }
    boolean ended = read < 0;
    if (bytes > descriptor.sizeBytes() || (ended && bytes < descriptor.sizeBytes())) {
      throw new CorruptException(
          "layer: %s %d bytes, its descriptor says %d"
              .formatted(ended ? "ends after" : "has", bytes, descriptor.sizeBytes()),
          resource,
          bytes);
    }
    if (read > 0) {
      recording.encoded(into, offset, read);
    }
    return read;
  }

  @Override
  public boolean markSupported() {
    return false;
  }

  /**
   * Compares what was read with the digest, once.
   *
   * @throws CorruptException if it is something else
   */
  void verify() throws CorruptException {
    verify("layer digest", descriptor.digest(), hash, resource);
  }

  static void verify(String what, Digest expected, MessageDigest hash, String resource)
      throws CorruptException {
    Digest found = Digest.of(expected.algorithm(), hash.digest());
    if (!found.equals(expected)) {
      throw new CorruptException(
          "%s: found %s, expected %s".formatted(what, found, expected), resource, -1);
    }
  }
}
