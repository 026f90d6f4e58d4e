package sluice.registry;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import sluice.core.Bytes;
import sluice.core.ContentHasher;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;

/** The {@code blobs} directory of an image layout: content by digest. */
final class LayoutBlobs {

  private final Path directory;

  LayoutBlobs(Path directory) {
    this.directory = directory;
  }

  boolean has(Digest digest) {
    return Files.isRegularFile(file(digest));
  }

  /** Fills {@code into} from {@code offset} of the blob on. */
  void read(Digest digest, long offset, ByteBuffer into) throws IOException {
    try (FileChannel blob = FileChannel.open(file(digest), StandardOpenOption.READ)) {
      long position = offset;
      while (into.hasRemaining()) {
        int count = blob.read(into, position);
        if (count < 0) {
          throw new FetchException(
              "image layout %s: %s ends at byte %d, asked for %d from %d on"
                  .formatted(
                      directory, digest, position, into.remaining() + position - offset, offset),
              FetchException.Reason.PROTOCOL,
              0,
              null);
        }
        position += count;
      }
    } catch (NoSuchFileException e) {
      throw missing(digest, e);
    }
  }

  InputStream open(Digest digest) throws IOException {
    try {
      return Files.newInputStream(file(digest));
    } catch (NoSuchFileException e) {
      throw missing(digest, e);
    }
  }

  /**
   * Reads a blob whole and verifies it.
   *
   * @throws CorruptException if it is larger than {@code limitBytes}, or not what the digest says
   */
  Bytes readAll(Digest digest, int limitBytes) throws IOException {
    byte[] bytes;
    try (InputStream blob = open(digest)) {
      bytes = blob.readNBytes(limitBytes + 1);
    }
    if (bytes.length > limitBytes) {
      throw new CorruptException(
          "content of more than " + limitBytes + " bytes", resource(digest), -1);
    }
    if (!ContentHasher.matches(digest, ByteBuffer.wrap(bytes))) {
      throw new CorruptException(
          "content has another digest than its name: "
              + Digest.of(
                  digest.algorithm(),
                  ContentHasher.hash(digest.algorithm(), ByteBuffer.wrap(bytes))),
          resource(digest),
          -1);
    }
    return Bytes.of(bytes);
  }

  /**
   * Copies {@code content} into the layout, unless it is there.
   *
   * @throws CorruptException if the content is not what {@code descriptor} says; then nothing stays
   */
  void put(Descriptor descriptor, Path content) throws IOException {
    if (has(descriptor.digest())) {
      return;
    }
    Path temporary = temporary(descriptor.digest());
    try {
      MessageDigest hash = hash(descriptor.digest().algorithm());
      try (InputStream in = new DigestInputStream(Files.newInputStream(content), hash)) {
        Files.copy(in, temporary, StandardCopyOption.REPLACE_EXISTING);
      }
      long length = Files.size(temporary);
      Digest found = Digest.of(descriptor.digest().algorithm(), hash.digest());
      if (length != descriptor.sizeBytes() || !found.equals(descriptor.digest())) {
        throw new CorruptException(
            "%d bytes with digest %s, expected %d bytes with digest %s"
                .formatted(length, found, descriptor.sizeBytes(), descriptor.digest()),
            content.toString(),
            -1);
      }
      DurableFile.sync(temporary);
      Files.move(temporary, file(descriptor.digest()), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** Writes small content whose digest the caller has checked. */
  void put(Digest digest, Bytes content) throws IOException {
    if (has(digest)) {
      return;
    }
    Path temporary = temporary(digest);
    try {
      DurableFile.write(temporary, content.toArray());
      Files.move(temporary, file(digest), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private Path temporary(Digest digest) throws IOException {
    Path parent = directory.resolve("blobs").resolve(digest.algorithm().label());
    Files.createDirectories(parent);
    return Files.createTempFile(parent, "blob", ".tmp");
  }

  private Path file(Digest digest) {
    return directory.resolve("blobs").resolve(digest.algorithm().label()).resolve(digest.hex());
  }

  private String resource(Digest digest) {
    return "image layout " + directory + ", " + digest;
  }

  private FetchException missing(Digest digest, NoSuchFileException cause) {
    return new FetchException(
        "image layout " + directory + ": no blob " + digest,
        FetchException.Reason.NOT_FOUND,
        0,
        cause);
  }

  private static MessageDigest hash(Digest.Algorithm algorithm) {
    try {
      return switch (algorithm) {
        case SHA256 -> MessageDigest.getInstance("SHA-256");
        case SHA512 -> MessageDigest.getInstance("SHA-512");
        case BLAKE3 ->
            throw new IllegalArgumentException("blobs of an image have no blake3 digests");
      };
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("each JDK has SHA-2", e);
    }
  }
}
