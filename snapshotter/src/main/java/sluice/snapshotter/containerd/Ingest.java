package sluice.snapshotter.containerd;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.UUID;
import sluice.api.containerd.content.ContentGrpc;
import sluice.api.containerd.content.WriteAction;
import sluice.api.containerd.content.WriteContentRequest;
import sluice.api.containerd.content.WriteContentResponse;
import sluice.core.Digest;

/** Content on its way into containerd's store. */
record Ingest(
    Digest digest, long lengthBytes, ContentStore.Source source, Map<String, String> labels) {

  /** Far below the 16 MiB that containerd takes in one message. */
  private static final int WRITE_BYTES = 1 << 20;

  /**
   * Writes it.
   *
   * @throws ContainerdException with ALREADY_EXISTS if the store has it
   */
  void into(ContentGrpc.ContentBlockingV2Stub content) throws IOException, InterruptedException {
    BlockingClientCall<WriteContentRequest, WriteContentResponse> call = content.write();
    try {
      WriteContentResponse begun = exchange(call, begin());
      // Content that another namespace has needs only to be claimed: all of it counts as written.
      if (begun.getOffset() < lengthBytes) {
        send(call);
      }
      exchange(
          call,
          WriteContentRequest.newBuilder()
              .setAction(WriteAction.COMMIT)
              .setOffset(lengthBytes)
              .setTotal(lengthBytes)
              .setExpected(digest.toString())
              .putAllLabels(labels)
              .build());
      call.halfClose();
    } catch (StatusException e) {
      throw ContainerdException.of("write content " + digest, e);
    } catch (IOException | InterruptedException e) {
      call.cancel("given up", e);
      throw e;
    }
  }

  /** Containerd locks a reference, so each writer has its own; the first who is done wins. */
  private WriteContentRequest begin() {
    return WriteContentRequest.newBuilder()
        .setAction(WriteAction.STAT)
        .setRef("sluice-" + UUID.randomUUID() + "-" + digest)
        .setTotal(lengthBytes)
        .setExpected(digest.toString())
        .build();
  }

  private void send(BlockingClientCall<WriteContentRequest, WriteContentResponse> call)
      throws IOException, InterruptedException, StatusException {
    try (InputStream bytes = source.open()) {
      long offset = 0;
      byte[] piece = bytes.readNBytes(WRITE_BYTES);
      while (piece.length > 0 && offset <= lengthBytes) {
        exchange(
            call,
            WriteContentRequest.newBuilder()
                .setAction(WriteAction.WRITE)
                .setOffset(offset)
                .setData(UnsafeByteOperations.unsafeWrap(piece))
                .build());
        offset += piece.length;
        piece = bytes.readNBytes(WRITE_BYTES);
      }
      if (offset != lengthBytes) {
        throw new IOException(
            "content %s: %d bytes expected, found %d%s"
                .formatted(digest, lengthBytes, offset, piece.length > 0 ? " and more" : ""));
      }
    }
  }

  /** A reply for each request; none means that the call has ended. */
  private WriteContentResponse exchange(
      BlockingClientCall<WriteContentRequest, WriteContentResponse> call,
      WriteContentRequest request)
      throws IOException, InterruptedException, StatusException {
    WriteContentResponse response = call.write(request) ? call.read() : null;
    if (response == null) {
      throw new IOException("containerd: write content " + digest + ": it ended the call");
    }
    return response;
  }
}
