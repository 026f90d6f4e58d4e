package sluice.snapshotter.containerd;

import com.google.protobuf.ByteString;
import com.google.protobuf.FieldMask;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.Channel;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.BlockingClientCall;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import sluice.api.containerd.content.ContentGrpc;
import sluice.api.containerd.content.Info;
import sluice.api.containerd.content.ReadContentRequest;
import sluice.api.containerd.content.ReadContentResponse;
import sluice.api.containerd.content.UpdateRequest;
import sluice.api.containerd.content.WriteAction;
import sluice.api.containerd.content.WriteContentRequest;
import sluice.api.containerd.content.WriteContentResponse;
import sluice.core.Bytes;
import sluice.core.Digest;

/** containerd's content store, for small content: manifests, indexes, configurations. */
public final class ContentStore {

  /** Far below the 16 MiB that containerd takes in one message. */
  private static final int WRITE_BYTES = 1 << 20;

  private final Channel channel;

  ContentStore(Channel channel) {
    this.channel = channel;
  }

  /** Reads; see {@link Containerd#readContent}. */
  Optional<Bytes> read(Digest digest, int maxBytes) throws IOException, InterruptedException {
    ReadContentRequest request =
        ReadContentRequest.newBuilder().setDigest(digest.toString()).build();
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    try {
      Iterator<ReadContentResponse> replies =
          Containerd.limited(ContentGrpc.newBlockingStub(channel)).read(request);
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
   * Writes content with its labels; where the store has it already, only the labels are added.
   *
   * @throws ContainerdException if the content is not what {@code digest} says
   */
  public void write(Digest digest, Bytes content, Map<String, String> labels)
      throws IOException, InterruptedException {
    try {
      upload(digest, content, labels);
    } catch (ContainerdException e) {
      if (e.reason() != ContainerdException.Reason.ALREADY_EXISTS) {
        throw e;
      }
      label(digest, labels);
    }
  }

  private void upload(Digest digest, Bytes content, Map<String, String> labels)
      throws IOException, InterruptedException {
    BlockingClientCall<WriteContentRequest, WriteContentResponse> call =
        Containerd.limited(ContentGrpc.newBlockingV2Stub(channel)).write();
    byte[] bytes = content.toArray();
    WriteContentRequest.Builder piece =
        WriteContentRequest.newBuilder()
            .setRef("sluice-" + digest)
            .setTotal(bytes.length)
            .setExpected(digest.toString());
    try {
      int offset = 0;
      boolean more = true;
      while (more) {
        int length = Math.min(WRITE_BYTES, bytes.length - offset);
        more = offset + length < bytes.length;
        piece
            .setAction(more ? WriteAction.WRITE : WriteAction.COMMIT)
            .setOffset(offset)
            .setData(UnsafeByteOperations.unsafeWrap(bytes, offset, length));
        if (!more) {
          piece.putAllLabels(labels);
        }
        // A reply for each request; none means that the call has ended, with a reason.
        if (!call.write(piece.build()) || call.read() == null) {
          call.cancel("ended early", null);
          throw new IOException("containerd: write content " + digest + ": it ended the call");
        }
        offset += length;
      }
      call.halfClose();
    } catch (StatusException e) {
      throw ContainerdException.of("write content " + digest, e);
    } catch (InterruptedException e) {
      call.cancel("interrupted", e);
      throw e;
    }
  }

  /** Adds labels to content, or changes them; the others stay. */
  public void label(Digest digest, Map<String, String> labels)
      throws IOException, InterruptedException {
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
