package sluice.snapshotter.containerd;

import io.grpc.ClientInterceptors;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import sluice.core.Bytes;
import sluice.core.ContentHasher;
import sluice.core.Digest;

/**
 * What is in containerd's content store, of whatever namespace, for who can do without: answers
 * come soon or not at all. Safe for use by many threads.
 *
 * <p>May be asked in a Prepare: containerd reads content under no lock that its snapshotters hold.
 */
public final class ContainerdContent implements Closeable {

  /** Reading a manifest of its store takes containerd milliseconds. */
  private static final Duration LIMIT = Duration.ofSeconds(2);

  /** How long a containerd that does not answer is left alone, so that it costs that only once. */
  private static final Duration QUIET = Duration.ofSeconds(30);

  /** What registries take for a manifest (distribution specification, "Pushing Manifests"). */
  private static final int MAX_BYTES = 4 << 20;

  private final SocketChannel connection;
  private final InstantSource clock;
  private volatile Instant quietUntil = Instant.MIN;

  private ContainerdContent(SocketChannel connection, InstantSource clock) {
    this.connection = connection;
    this.clock = clock;
  }

  /** Prepares a connection; the first call makes it. */
  public static ContainerdContent at(Path socket, InstantSource clock) {
    return new ContainerdContent(SocketChannel.to(socket), clock);
  }

  /**
   * Content that is verified to be what its digest says.
   *
   * @param namespace containerd's; nothing is found in an empty one
   * @return nothing if the namespace has none, and for a while after containerd did not answer
   * @throws IOException if containerd does not answer, or the content is longer than any manifest
   */
  public Optional<Bytes> find(String namespace, Digest digest)
      throws IOException, InterruptedException {
    if (namespace.isEmpty() || clock.instant().isBefore(quietUntil)) {
      return Optional.empty();
    }
    ContentStore store =
        new ContentStore(
            ClientInterceptors.intercept(
                connection.channel(), Containerd.header(Containerd.NAMESPACE, namespace)));
    try {
      return store
          .read(digest, MAX_BYTES, LIMIT)
          .filter(found -> ContentHasher.matches(digest, found.asBuffer()));
    } catch (ContainerdException e) {
      quietUntil = clock.instant().plus(QUIET);
      throw e;
    }
  }

  @Override
  public void close() {
    connection.close();
  }

  @Override
  public String toString() {
    return "content of containerd on " + connection;
  }
}
