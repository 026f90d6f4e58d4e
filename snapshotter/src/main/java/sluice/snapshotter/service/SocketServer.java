package sluice.snapshotter.service;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import java.io.Closeable;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A gRPC server on a Unix domain socket, with the channels of the JDK. Whoever may open the socket
 * may do everything, so only its owner may: mode 0600.
 *
 * <p>Each call runs on a virtual thread of its own: many wait, for a registry or for the store.
 */
public final class SocketServer implements Closeable {
  private static final Logger log = LoggerFactory.getLogger(SocketServer.class);

  /** {@code sun_path} of {@code struct sockaddr_un} has 108 bytes, one of which ends it. */
  private static final int MAX_PATH_BYTES = 107;

  /** What containerd's client sends and takes at most (its package defaults). */
  private static final int MAX_MESSAGE_BYTES = 16 << 20;

  /** gRPC's last notifications come just after its own end. */
  private static final long QUIET_MILLIS = 50;

  /** How long calls may take to end once the server is closed; containerd calls again. */
  private static final long GRACE_SECONDS = 5;

  /** {@code S_IFMT} and {@code S_IFSOCK} of inode(7). */
  private static final int FILE_TYPE = 0170000;

  private static final int SOCKET = 0140000;

  private final Path socket;
  private final Server server;
  private final EventLoopGroup eventLoops;
  private final ExecutorService calls;

  private SocketServer(
      Path socket, Server server, EventLoopGroup eventLoops, ExecutorService calls) {
    this.socket = socket;
    this.server = server;
    this.eventLoops = eventLoops;
    this.calls = calls;
  }

  /**
   * Listens. A socket file that nobody listens on any more is replaced.
   *
   * @param address path of the socket; its directory is made, with mode 0711, if it is not there
   * @throws IOException if somebody else listens there, or the path cannot be a socket
   */
  public static SocketServer listen(Path address, List<? extends BindableService> services)
      throws IOException {
    Path socket = address.toAbsolutePath();
    checkAddress(socket);
    makeDirectory(socket);
    removeStale(socket);
    EventLoopGroup eventLoops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    ExecutorService calls =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("call-", 0).factory());
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelType(NioServerDomainSocketChannel.class)
            .bossEventLoopGroup(eventLoops)
            .workerEventLoopGroup(eventLoops)
            .executor(calls)
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .intercept(new NamespaceHeader());
    services.forEach(builder::addService);
    SocketServer listening = new SocketServer(socket, builder.build(), eventLoops, calls);
    try {
      listening.server.start();
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
      return listening;
    } catch (IOException e) {
      listening.stop();
      throw new IOException("socket %s: cannot listen: %s".formatted(socket, e.getMessage()), e);
    }
  }

  /**
   * Checks that a path can be a socket's; touches nothing.
   *
   * @throws IOException if it is too long
   */
  public static void checkAddress(Path address) throws IOException {
    Path socket = address.toAbsolutePath();
    int bytes = socket.toString().getBytes(StandardCharsets.UTF_8).length;
    if (bytes > MAX_PATH_BYTES) {
      throw new IOException(
          "socket %s: the path has %d bytes, a socket's has at most %d; choose a shorter --address"
              .formatted(socket, bytes, MAX_PATH_BYTES));
    }
  }

  private static void makeDirectory(Path socket) throws IOException {
    Path directory = socket.getParent();
    if (directory != null && !Files.isDirectory(directory)) {
      Files.createDirectories(directory);
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
    }
  }

  private static void removeStale(Path socket) throws IOException {
    if (!Files.exists(socket, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    boolean isSocket =
        Files.getAttribute(socket, "unix:mode", LinkOption.NOFOLLOW_LINKS) instanceof Integer mode
            && (mode & FILE_TYPE) == SOCKET;
    if (!isSocket) {
      throw new IOException(
          "socket %s: there is something else than a socket; remove it, or choose another --address"
              .formatted(socket));
    }
    if (answers(socket)) {
      throw new IOException(
          "socket %s: another process listens there, perhaps another Sluice; stop it, or choose another --address"
              .formatted(socket));
    }
    log.info("socket {}: nobody listens there any more, it is replaced", socket);
    Files.delete(socket);
  }

  private static boolean answers(Path socket) {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      return channel.isConnected();
    } catch (IOException refused) {
      return false;
    }
  }

  /** Where it listens. */
  public Path socket() {
    return socket;
  }

  /** Ends running calls, waits for them a little, and removes the socket. */
  @Override
  public void close() throws IOException {
    stop();
    Files.deleteIfExists(socket);
  }

  private void stop() {
    server.shutdown();
    boolean interrupted = Thread.interrupted();
    try {
      if (!server.awaitTermination(GRACE_SECONDS, TimeUnit.SECONDS)) {
        server.shutdownNow().awaitTermination(GRACE_SECONDS, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      interrupted = true;
      server.shutdownNow();
    }
    calls.shutdownNow();
    eventLoops
        .shutdownGracefully(
            QUIET_MILLIS, TimeUnit.SECONDS.toMillis(GRACE_SECONDS), TimeUnit.MILLISECONDS)
        .awaitUninterruptibly();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
