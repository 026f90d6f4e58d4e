package sluice.snapshotter.containerd;

import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.io.Closeable;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A connection to a gRPC server on a Unix domain socket. It is made with the first call, and again
 * with the first call after it broke. Safe for use by many threads.
 */
public final class SocketChannel implements Closeable {

  /** What containerd sends at most (its package defaults). */
  private static final int MAX_MESSAGE_BYTES = 16 << 20;

  /** gRPC's last notifications come just after its own end. */
  private static final long QUIET_MILLIS = 50;

  private static final long CLOSE_SECONDS = 5;

  private final Path socket;
  private final ManagedChannel channel;
  private final EventLoopGroup eventLoop;

  private SocketChannel(Path socket, ManagedChannel channel, EventLoopGroup eventLoop) {
    this.socket = socket;
    this.channel = channel;
    this.eventLoop = eventLoop;
  }

  /** Prepares a connection; nothing is sent yet. */
  public static SocketChannel to(Path socket) {
    EventLoopGroup eventLoop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
            .eventLoopGroup(eventLoop)
            .overrideAuthority("localhost")
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .usePlaintext()
            .build();
    return new SocketChannel(socket, channel, eventLoop);
  }

  /** What stubs are made of. */
  public Channel channel() {
    return channel;
  }

  /** Ends calls that are under way. */
  @Override
  public void close() {
    channel.shutdownNow();
    boolean interrupted = Thread.interrupted();
    try {
      channel.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      interrupted = true;
    }
    eventLoop
        .shutdownGracefully(
            QUIET_MILLIS, TimeUnit.SECONDS.toMillis(CLOSE_SECONDS), TimeUnit.MILLISECONDS)
        .awaitUninterruptibly();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public String toString() {
    return socket.toString();
  }
}
