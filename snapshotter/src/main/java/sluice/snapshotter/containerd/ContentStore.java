package sluice.snapshotter.containerd;

import com.google.protobuf.ByteString;
import com.google.protobuf.FieldMask;
import io.grpc.Channel;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import sluice.api.containerd.content.ContentGrpc;
import sluice.api.containerd.content.Info;
import sluice.api.containerd.content.ReadContentRequest;
import sluice.api.containerd.content.ReadContentResponse;
import sluice.api.containerd.content.UpdateRequest;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;

/** containerd's content store: manifests, indexes, configurations, and layers to be unpacked. */
public final class ContentStore {

  /** Where content comes from; asked only if the store does not have it. */
  @FunctionalInterface
  public interface Source {
    /** The content from its beginning, which the store closes. */
    InputStream open() throws IOException, InterruptedException;
  }

  private final Channel channel;

  ContentStore(Channel channel) {
    this.channel = channel;
  }

  /** Reads; see {@link Containerd#readContent}. */
  Optional<Bytes> read(Digest digest, int maxBytes, Duration limit)
      throws IOException, InterruptedException {
    ReadContentRequest request =
        ReadContentRequest.newBuilder().setDigest(digest.toString()).build();
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    try {
      Iterator<ReadContentResponse> replies =
          ContentGrpc.newBlockingStub(channel)
              .withDeadlineAfter(limit.toNanos(), TimeUnit.NANOSECONDS)
              .read(request);
      while (replies.hasNext()) {
        ByteString data = replies.next().getData();
        if (content.size() + data.size() > maxBytes) {
          throw new IOException(
              "containerd: content %s is longer than %d bytes".formatted(digest, maxBytes));
        }
        data.writeTo(content);
      }
      return Optional.of(Bytes.of(content.toByteArray()));
    } catch (StatusRuntimeException e) {
      if (Thread.interrupted()) {
        throw new InterruptedException("interrupted: read content " + digest);
      }
      ContainerdException fault = ContainerdException.of("read content " + digest, e);
      if (fault.reason() == ContainerdException.Reason.NOT_FOUND) {
        return Optional.empty();
      }
      throw fault;
    }
  }

  /**
   * Writes small content with its labels; where the store has it already, only the labels are
   * added.
   *
   * @throws ContainerdException if the content is not what {@code digest} says
   */
  public void write(Digest digest, Bytes content, Map<String, String> labels)
      throws IOException, InterruptedException {
    writeOrLabel(
        Containerd.limited(ContentGrpc.newBlockingV2Stub(channel)),
        new Ingest(
            digest, content.length(), () -> new ByteArrayInputStream(content.toArray()), labels));
  }

  /**
   * Writes content of any length with its labels; where the store has it already, in whatever
   * namespace, it is not opened. How long it may take is left to {@code source}.
   *
   * @throws ContainerdException if the content is not what {@code descriptor} says
   */
  public void write(Descriptor descriptor, Source source, Map<String, String> labels)
      throws IOException, InterruptedException {
    writeOrLabel(
        ContentGrpc.newBlockingV2Stub(channel),
        new Ingest(descriptor.digest(), descriptor.sizeBytes(), source, labels));
  }

  private void writeOrLabel(ContentGrpc.ContentBlockingV2Stub content, Ingest ingest)
      throws IOException, InterruptedException {
    try {
      ingest.into(content);
    } catch (ContainerdException e) {
      if (e.reason() != ContainerdException.Reason.ALREADY_EXISTS) {
        throw e;
      }
      label(ingest.digest(), ingest.labels());
    }
  }

  /** Adds labels to content, or changes them; the others stay. */
  public void label(Digest digest, Map<String, String> labels)
      throws IOException, InterruptedException {
    if (labels.isEmpty()) {
      return; // An empty mask would replace all labels.
    }
    UpdateRequest request =
        UpdateRequest.newBuilder()
            .setInfo(Info.newBuilder().setDigest(digest.toString()).putAllLabels(labels))
            .setUpdateMask(
                FieldMask.newBuilder()
                    .addAllPaths(labels.keySet().stream().map(key -> "labels." + key).toList()))
            .build();
    Containerd.call(
        "label content " + digest,
        () -> Containerd.limited(ContentGrpc.newBlockingStub(channel)).update(request));
  }
}
