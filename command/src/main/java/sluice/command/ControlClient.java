package sluice.command;

import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import sluice.api.control.ControlGrpc;
import sluice.api.control.StatusRequest;
import sluice.api.control.StatusResponse;
import sluice.snapshotter.containerd.SocketChannel;

/** Asks a running daemon. */
final class ControlClient {

  /** A daemon answers from memory and its own disk; one that takes longer is stuck. */
  private static final long LIMIT_SECONDS = 20;

  private ControlClient() {}

  /**
   * What the daemon says of itself.
   *
   * @throws IOException if nobody answers at {@code socket}; the message says what to do
   */
  static StatusResponse status(Path socket) throws IOException {
    try {
      return ask(
          socket,
          channel ->
              ControlGrpc.newBlockingStub(channel)
                  .withDeadlineAfter(LIMIT_SECONDS, TimeUnit.SECONDS)
                  .status(StatusRequest.getDefaultInstance()));
    } catch (InterruptedException e) {
      throw new IOException("socket %s: interrupted".formatted(socket), e);
    }
  }

  /**
   * Asks for whatever.
   *
   * @throws IOException if nobody answers at {@code socket}; the message says what to do
   */
  static <T> T ask(Path socket, Function<Channel, T> question)
      throws IOException, InterruptedException {
    if (Files.notExists(socket)) {
      throw new NoSuchFileException(
          socket.toString(),
          null,
          "no daemon listens there; start `sluice serve`, or name its --address");
    }
    if (!Files.exists(socket)) {
      throw new AccessDeniedException(socket.toString());
    }
    try (SocketChannel channel = SocketChannel.to(socket)) {
      return question.apply(channel.channel());
    } catch (StatusRuntimeException e) {
      if (Thread.interrupted()) {
        throw new InterruptedException("interrupted");
      }
      throw new IOException("socket %s: %s".formatted(socket, reason(e.getStatus())), e);
    }
  }

  /** Whether somebody listens there. */
  static boolean answers(Path socket) {
    try (var channel = java.nio.channels.SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      return channel.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  private static String reason(Status status) {
    return switch (status.getCode()) {
      case UNAVAILABLE -> "nobody answers; is the daemon running, and are you root?";
      case UNIMPLEMENTED -> "what listens there is not Sluice, or an older one";
      case DEADLINE_EXCEEDED -> "no answer within " + LIMIT_SECONDS + " seconds";
      default -> status.getCode() + ": " + status.getDescription();
    };
  }
}
