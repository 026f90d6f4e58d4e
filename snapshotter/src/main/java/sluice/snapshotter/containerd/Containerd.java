package sluice.snapshotter.containerd;

import com.google.protobuf.Empty;
import com.google.protobuf.FieldMask;
import io.grpc.Channel;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.MetadataUtils;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import sluice.api.containerd.images.CreateImageRequest;
import sluice.api.containerd.images.GetImageRequest;
import sluice.api.containerd.images.Image;
import sluice.api.containerd.images.ImagesGrpc;
import sluice.api.containerd.images.UpdateImageRequest;
import sluice.api.containerd.leases.CreateRequest;
import sluice.api.containerd.leases.DeleteRequest;
import sluice.api.containerd.leases.LeasesGrpc;
import sluice.api.containerd.leases.ListRequest;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;

/**
 * containerd, as a client of one of its namespaces. Safe for use by many threads; calls block, and
 * answer an interrupt of their thread.
 *
 * <p>What is written is collected as garbage at once unless a {@link Lease} protects it or an image
 * leads to it by labels: so writes go through a lease.
 */
public final class Containerd implements Closeable {

  static final Metadata.Key<String> NAMESPACE =
      Metadata.Key.of("containerd-namespace", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> LEASE =
      Metadata.Key.of("containerd-lease", Metadata.ASCII_STRING_MARSHALLER);

  /** Ends a lease whose owner died (containerd, pkg/gc). */
  private static final String EXPIRES = "containerd.io/gc.expire";

  /** For calls that only touch containerd's database; its collection may hold them up. */
  static final Duration CALL_LIMIT = Duration.ofMinutes(2);

  /** What only reads the database waits for nothing. */
  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(10);

  private final SocketChannel connection;
  private final Channel channel;

  private Containerd(SocketChannel connection, Channel channel) {
    this.connection = connection;
    this.channel = channel;
  }

  /**
   * Prepares a connection; the first call makes it.
   *
   * @param socket usually {@code /run/containerd/containerd.sock}
   * @param namespace for example {@code default} or {@code k8s.io}
   */
  public static Containerd connect(Path socket, String namespace) {
    SocketChannel connection = SocketChannel.to(socket);
    return new Containerd(
        connection,
        ClientInterceptors.intercept(connection.channel(), header(NAMESPACE, namespace)));
  }

  static ClientInterceptor header(Metadata.Key<String> key, String value) {
    Metadata headers = new Metadata();
    headers.put(key, value);
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }

  /**
   * Makes sure that containerd answers, and that it has a snapshotter.
   *
   * @throws IOException if not; the message says what to look at
   */
  public void check(String snapshotter) throws IOException, InterruptedException {
    try {
      call(
          "list leases",
          () ->
              LeasesGrpc.newBlockingStub(channel)
                  .withDeadlineAfter(ANSWER_LIMIT.toSeconds(), TimeUnit.SECONDS)
                  .list(ListRequest.getDefaultInstance()));
    } catch (ContainerdException e) {
      throw switch (e.reason()) {
        case UNREACHABLE ->
            new IOException("%s does not answer; is it running? %s".formatted(this, said(e)), e);
        case UNIMPLEMENTED ->
            new IOException(
                "what listens on %s is not containerd: %s".formatted(connection, said(e)), e);
        case NOT_FOUND, ALREADY_EXISTS, FAILED -> e;
      };
    }
    new ContainerdSnapshots(snapshotter, channel).check();
  }

  private static String said(ContainerdException e) {
    return "(" + e.getMessage() + ")";
  }

  /**
   * Makes a lease: what is written through it stays until it is closed.
   *
   * @param atMost containerd ends it after that time if nobody closes it
   */
  public Lease lease(Duration atMost) throws IOException, InterruptedException {
    String until = Instant.now().plus(atMost).toString();
    CreateRequest request = CreateRequest.newBuilder().putLabels(EXPIRES, until).build();
    String id =
        call(
            "create a lease",
            () -> limited(LeasesGrpc.newBlockingStub(channel)).create(request).getLease().getId());
    Channel leased = ClientInterceptors.intercept(channel, header(LEASE, id));
    return new Lease(id, channel, leased);
  }

  /**
   * Content in containerd's store.
   *
   * @param maxBytes fails if it is longer
   * @return nothing if the store does not have it
   */
  public Optional<Bytes> readContent(Digest digest, int maxBytes)
      throws IOException, InterruptedException {
    return new ContentStore(channel).read(digest, maxBytes, CALL_LIMIT);
  }

  /** What an image is, by its name; nothing if there is no such image. */
  public Optional<Descriptor> image(String name) throws IOException, InterruptedException {
    GetImageRequest request = GetImageRequest.newBuilder().setName(name).build();
    try {
      Image image =
          call(
              "get image " + name,
              () -> limited(ImagesGrpc.newBlockingStub(channel)).get(request).getImage());
      return Optional.of(Descriptors.of(image.getTarget()));
    } catch (ContainerdException e) {
      if (e.reason() == ContainerdException.Reason.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** Makes an image, or changes what it is; its other labels stay. */
  public void putImage(String name, Descriptor target, Map<String, String> labels)
      throws IOException, InterruptedException {
    Image image =
        Image.newBuilder()
            .setName(name)
            .setTarget(Descriptors.message(target))
            .putAllLabels(labels)
            .build();
    ImagesGrpc.ImagesBlockingStub images = ImagesGrpc.newBlockingStub(channel);
    try {
      CreateImageRequest create = CreateImageRequest.newBuilder().setImage(image).build();
      call("create image " + name, () -> limited(images).create(create));
    } catch (ContainerdException e) {
      if (e.reason() != ContainerdException.Reason.ALREADY_EXISTS) {
        throw e;
      }
      List<String> labelPaths = labels.keySet().stream().map(key -> "labels." + key).toList();
      FieldMask mask = FieldMask.newBuilder().addPaths("target").addAllPaths(labelPaths).build();
      UpdateImageRequest update =
          UpdateImageRequest.newBuilder().setImage(image).setUpdateMask(mask).build();
      call("update image " + name, () -> limited(images).update(update));
    }
  }

  @Override
  public void close() {
    connection.close();
  }

  @Override
  public String toString() {
    return "containerd on " + connection;
  }

  /** A lease. Closing it ends the protection; what an image leads to by labels stays. */
  public static final class Lease implements Closeable {
    private final String id;
    private final Channel unleased;
    private final Channel leased;

    private Lease(String id, Channel unleased, Channel leased) {
      this.id = id;
      this.unleased = unleased;
      this.leased = leased;
    }

    /** The content store, for writing. */
    public ContentStore content() {
      return new ContentStore(leased);
    }

    /** The snapshots of one snapshotter. */
    public ContainerdSnapshots snapshots(String snapshotter) {
      return new ContainerdSnapshots(snapshotter, leased);
    }

    /** The differ, which unpacks layers. */
    public ContainerdDiff diff() {
      return new ContainerdDiff(leased);
    }

    /** Ends it even if the calling thread is interrupted. */
    @Override
    public void close() throws IOException {
      DeleteRequest request = DeleteRequest.newBuilder().setId(id).build();
      boolean interrupted = Thread.interrupted();
      try {
        Empty _ = limited(LeasesGrpc.newBlockingStub(unleased)).delete(request);
      } catch (StatusRuntimeException e) {
        throw ContainerdException.of("delete lease " + id, e);
      } finally {
        if (interrupted) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }

  static <S extends AbstractStub<S>> S limited(S stub) {
    return stub.withDeadlineAfter(CALL_LIMIT.toSeconds(), TimeUnit.SECONDS);
  }

  /** A call of a blocking stub. */
  @FunctionalInterface
  interface Call<T> {
    T run();
  }

  /** A stub that is interrupted cancels its call, and leaves the interrupt set. */
  static <T> T call(String what, Call<T> call) throws IOException, InterruptedException {
    try {
      return call.run();
    } catch (StatusRuntimeException e) {
      if (Thread.interrupted()) {
        throw new InterruptedException("interrupted: " + what);
      }
      throw ContainerdException.of(what, e);
    }
  }
}
